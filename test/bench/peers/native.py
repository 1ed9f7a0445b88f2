"""Native references, one thread: LiteRT with XNNPACK, ONNX Runtime. Optional: what cannot be imported is skipped.

usage: native.py probe | native.py TASK    (TASK: JSON as in ../plan.mjs, plus "root", the folder of the peers)
Prints one line of JSON, with the fields of ../guest/measure.mjs. Called by ../engines/native.mjs.
"""

import json
import sys
import time
from importlib import metadata


def probe():
    found = {}
    for variant, package in (("xnnpack", "ai-edge-litert"), ("ort", "onnxruntime")):
        try:
            import numpy  # noqa: F401

            found[variant] = metadata.version(package)
        except Exception:
            pass
    return found


def open_xnnpack(root, file, _shapes):
    from ai_edge_litert.interpreter import Interpreter

    net = Interpreter(f"{root}models/{file}_int8.tflite", num_threads=1)
    net.allocate_tensors()
    given, made = net.get_input_details()[0], net.get_output_details()[0]
    data = read(f"{root}inputs/{file}.nhwc.q.bin", given["dtype"], given["shape"])

    def run():
        net.set_tensor(given["index"], data)
        net.invoke()

    return run, lambda: net.get_tensor(made["index"])


def open_ort(root, file, expected):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    path = f"{root}onnx/{file}_qdq_u8.onnx"
    net = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = {net.get_inputs()[0].name: read(f"{root}inputs/{file}.nchw.u8.bin", "uint8", expected["shapeNchw"])}
    last = []

    def run():
        last[:] = net.run(None, feeds)

    return run, lambda: last[0]


def read(path, dtype, shape):
    import numpy

    return numpy.fromfile(path, dtype).reshape(shape)


def judge(output, expected):
    import numpy

    steps = output.astype(numpy.float64).ravel()
    if output.dtype == numpy.uint8 and expected["dtype"] == "int8":
        steps -= 128
    ref = numpy.array(expected["ref"], numpy.float64)
    diff = numpy.abs(steps - ref)
    same = bool(steps[ref.argmax()] == steps.max())
    passed = same and diff.mean() <= 4
    return {"passed": bool(passed), "maxDiff": float(diff.max()), "meanDiff": float(diff.mean()), "sameClass": same}


def clock(run, warm_seconds, seconds):
    """The same method as measure.mjs: samples of at least 2 ms."""
    now = time.perf_counter
    runs, started = 0, now()
    while now() - started < warm_seconds or runs < 3:
        run()
        runs += 1
    batch = max(1, round(0.002 * runs / (now() - started)))
    samples, end = [], now() + seconds
    while now() < end or len(samples) < 5:
        at = now()
        for _ in range(batch):
            run()
        samples.append((now() - at) / batch * 1000)
    samples.sort()
    return {"minMs": samples[0], "medianMs": samples[len(samples) // 2], "samples": len(samples), "batch": batch}


def resident_mib():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024


def main():
    if sys.argv[1] == "probe":
        return probe()
    task = json.loads(sys.argv[1])
    opener = {"xnnpack": open_xnnpack, "ort": open_ort}[task["variant"]]
    before, started = resident_mib(), time.perf_counter()
    run, output = opener(task["root"], task["file"], task["expected"])
    run()
    cold = (time.perf_counter() - started) * 1000
    rss = resident_mib()
    answer = judge(output(), task["expected"])
    result = {"coldMs": cold, "memory": {"rssMiB": rss, "rssAddedMiB": rss - before}, "answer": answer}
    if not answer["passed"]:
        return {**result, "error": f"wrong answer: {answer}"}
    return {**result, **clock(run, task["warmSeconds"], task["seconds"])}


print(json.dumps(main()))
