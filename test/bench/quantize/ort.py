"""ONNX Runtime's static quantization of the same float nets: reads FOLDER/graph.json with its .bin files, builds the ONNX
model, quantizes it with the calibration inputs, and writes what each variant gives for the held-out inputs.

The quantized models run with graph optimizations off, which computes them exactly (on CPUs without VNNI the optimized
kernels saturate sums of uint8 x int8 products)."""
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

folder = sys.argv[1]
meta = json.load(open(os.path.join(folder, "graph.json")))


def floats(name, shape):
    return np.fromfile(os.path.join(folder, name), np.float32).reshape(shape)


nodes, constants = [], []
name_of = {}


def constant(value, name):
    constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
    return name


def emit(op, inputs, output, **attrs):
    nodes.append(helper.make_node(op, inputs, [output], name=f"{op}_{len(nodes)}", **attrs))
    return output


def to_first(shape):
    return [shape[0], shape[-1], *shape[1:-1]]


layout_first = {meta["input"]["id"]: len(meta["input"]["shape"]) == 4}
name_of[meta["input"]["id"]] = "x"
for at, node in enumerate(meta["nodes"]):
    x, y, attrs = node["inputs"][0], node["output"], node["attrs"]
    out = f"t{y}"
    low, high = attrs.get("min"), attrs.get("max")

    def clamped(op, inputs, **more):
        if low is None and high is None:
            return emit(op, inputs, out, **more)
        pre = emit(op, inputs, out + "_pre", **more)
        if low == 0 and high is None:
            return emit("Relu", [pre], out)
        return emit("Clip", [pre, constant(np.float32(low), f"low{at}"), constant(np.float32(high), f"high{at}")], out)

    layout_first[y] = layout_first[x]
    if node["op"] == "floatConv":
        w = floats(node["weights"], node["weightShape"]).transpose(0, 3, 1, 2)
        b = floats(node["bias"], [-1])
        pads = [attrs["pad"][1], attrs["pad"][2], attrs["padAfter"][1], attrs["padAfter"][2]]
        inputs = [name_of[x], constant(w, f"w{at}"), constant(b, f"b{at}")]
        clamped("Conv", inputs, strides=attrs["stride"][1:], pads=pads, group=attrs["groups"])
    elif node["op"] == "floatMatmul":
        w = floats(node["weights"], node["weightShape"])
        inputs = [name_of[x], constant(w, f"w{at}"), constant(floats(node["bias"], [-1]), f"b{at}")]
        clamped("Gemm", inputs, transB=1)
    elif node["op"] == "zip":
        assert attrs["fn"] == "add"
        emit("Add", [name_of[i] for i in node["inputs"]], out)
    elif node["op"] == "map":
        assert attrs["fn"] == "clip" and attrs["a"] == 0 and attrs["b"] is None
        emit("Relu", [name_of[x]], out)
    elif node["op"] == "floatPool":
        assert attrs["kind"] == "average"
        pads = [attrs["pad"][1], attrs["pad"][2], attrs["padAfter"][1], attrs["padAfter"][2]]
        emit("AveragePool", [name_of[x]], out, kernel_shape=attrs["kernel"][1:], strides=attrs["stride"][1:], pads=pads)
    elif node["op"] == "reshape":
        assert node["cells"] == 1, "only of one cell, where the layouts agree"
        emit("Reshape", [name_of[x], constant(np.array(attrs["shape"], np.int64), f"s{at}")], out)
        layout_first[y] = False
    elif node["op"] == "floatSoftmax":
        emit("Softmax", [name_of[x]], out, axis=-1)
    else:
        raise SystemExit(f"no ONNX form for {node['op']}")
    name_of[y] = out

shape = meta["input"]["shape"]
is_picture = len(shape) == 4
graph = helper.make_graph(
    nodes,
    "net",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, to_first(shape) if is_picture else shape)],
    [helper.make_tensor_value_info(name_of[meta["output"]["id"]], TensorProto.FLOAT, meta["output"]["shape"])],
    constants,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
onnx.checker.check_model(model)
path = os.path.join(folder, "float.onnx")
onnx.save(model, path)


def read(name, count):
    values = floats(name, [count, *shape])
    if is_picture:
        values = np.ascontiguousarray(np.moveaxis(values, -1, 2))
    return [{"x": one} for one in values]


class Reader(CalibrationDataReader):
    def __init__(self):
        self.inputs = iter(read("calibration.bin", meta["calibration"]))

    def get_next(self):
        return next(self.inputs, None)


options = ort.SessionOptions()
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
options.intra_op_num_threads = 1


def judge(file, result):
    session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    outputs = [session.run(None, feed)[0].astype(np.float32) for feed in read("held.bin", meta["held"])]
    np.concatenate(outputs).tofile(os.path.join(folder, result))


judge(path, "float.out")
for name, method in [
    ("minmax", CalibrationMethod.MinMax),
    ("entropy", CalibrationMethod.Entropy),
    ("percentile", CalibrationMethod.Percentile),
]:
    file = os.path.join(folder, f"{name}.onnx")
    quantize_static(
        path,
        file,
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=method,
    )
    judge(file, f"{name}.out")
print(json.dumps({"onnxruntime": ort.__version__, "onnx": onnx.__version__}))
