"""Trains the digit classifier, converts it to int8 and writes everything in this folder that is not written by hand.

    python train.py digits.json               the recipe: train on 8,000 digits, convert, judge on the 2,000 held out
    python train.py digits.json --validate    train on 7,000, print the accuracy on the other 1,000, write nothing

`digits.json` comes from export_digits.mjs. --validate is for making choices, so that the 2,000 test digits judge
nothing but the finished recipe.
"""
import base64, hashlib, json, os, pathlib, platform, re, struct, sys, tempfile, zlib

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SEED, EPOCHS, BATCH, RATE, WARMUP_EPOCHS = 20240229, 100, 64, 4e-3, 2
HERE = pathlib.Path(__file__).resolve().parent
NAMES = {7: "seven.png", 3: "three.png", 5: "five.png"}
Resolver = tf.lite.experimental.OpResolverType


def read_digits(path):
    def part(p):
        pixels = np.frombuffer(base64.b64decode(p["pixels"]), np.uint8).reshape(-1, 28, 28)
        return pixels, np.array(p["labels"]), np.array(p["index"])
    digits = json.loads(path.read_bytes())
    return part(digits["train"]), part(digits["test"])


def augment(images, rng):
    """Turns, stretches, slants and shifts each image a little; bilinear, black outside."""
    n = len(images)
    angle = np.deg2rad(rng.uniform(-12, 12, n))
    stretch_x, stretch_y = np.exp(rng.uniform(-0.12, 0.12, (2, n)))
    slant = rng.uniform(-0.15, 0.15, n)
    shift_x, shift_y = rng.uniform(-2.5, 2.5, (2, n))
    each = lambda v: v[:, None, None].astype(np.float32)
    grid = np.arange(28, dtype=np.float32) - 13.5
    u, v = grid[None, None, :] - each(shift_x), grid[None, :, None] - each(shift_y)
    y = (each(np.cos(angle)) * v - each(np.sin(angle)) * u) / each(stretch_y)
    x = (each(np.cos(angle)) * u + each(np.sin(angle)) * v) / each(stretch_x) + each(slant) * y
    x, y = np.clip(x + 14.5, 0, 29), np.clip(y + 14.5, 0, 29)  # +13.5 for the centre, +1 for the border below
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2))).astype(np.float32) / 255
    x0, y0, i = x.astype(int), y.astype(int), np.arange(n)[:, None, None]
    fx, fy = x - x0, y - y0
    top = padded[i, y0, x0] * (1 - fx) + padded[i, y0, x0 + 1] * fx
    bottom = padded[i, y0 + 1, x0] * (1 - fx) + padded[i, y0 + 1, x0 + 1] * fx
    return (top * (1 - fy) + bottom * fy)[..., None]


def build():
    def norm_relu(x, name):
        return layers.ReLU(name=name + "_relu")(layers.BatchNormalization(momentum=0.95, name=name + "_norm")(x))

    def conv(x, channels, size, stride, name):
        return norm_relu(layers.Conv2D(channels, size, stride, "same", use_bias=False, name=name)(x), name)

    def separable(x, channels, stride, name):
        depth = layers.DepthwiseConv2D(3, stride, "same", use_bias=False, name=name + "_depth")(x)
        return conv(norm_relu(depth, name + "_depth"), channels, 1, 1, name + "_point")

    image = layers.Input((28, 28, 1), name="image")
    x = conv(image, 16, 3, 2, "conv1")
    x = conv(x, 16, 3, 1, "conv2")
    x = separable(x, 32, 2, "block1")
    x = separable(x, 64, 1, "block2")
    x = separable(x, 64, 1, "block3")
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(10, name="dense")(x)
    return keras.Model(image, layers.Softmax(name="softmax")(x), name="digits")


def train(images, labels):
    model, rng = build(), np.random.default_rng(SEED)
    steps = len(images) // BATCH
    rate = keras.optimizers.schedules.CosineDecay(0.0, (EPOCHS - WARMUP_EPOCHS) * steps, warmup_target=RATE,
                                                  warmup_steps=WARMUP_EPOCHS * steps)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=1e-3), loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    for epoch in range(1, EPOCHS + 1):
        order = rng.permutation(len(images))[: steps * BATCH]
        x, y = augment(images[order], rng), labels[order]
        model.reset_metrics()
        for at in range(0, len(x), BATCH):
            loss, accuracy = model.train_on_batch(x[at:at + BATCH], y[at:at + BATCH])
        if epoch % 10 == 0:
            print(f"epoch {epoch}: loss {loss:.4f}, accuracy {accuracy:.4f} on augmented training digits", flush=True)
    return model


def convert(model, calibration):
    with tempfile.TemporaryDirectory() as saved:
        one = keras.InputSpec(shape=(1, 28, 28, 1), dtype="float32", name="image")  # a batch of exactly one
        model.export(saved, format="tf_saved_model", input_signature=[one], verbose=False)
        return quantize(tf.lite.TFLiteConverter.from_saved_model(saved), calibration)


def quantize(converter, calibration):
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[None, ..., None]] for x in calibration.astype(np.float32) / 255)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def run_int8(tflite, inputs, resolver=Resolver.AUTO):
    """All outputs, one thread. AUTO is TensorFlow Lite's default: XNNPACK where it can, built-in kernels elsewhere."""
    interpreter = tf.lite.Interpreter(model_content=tflite, num_threads=1, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    delegated = any(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())
    assert delegated == (resolver == Resolver.AUTO), "XNNPACK should be in use exactly when it is the default"
    source, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    outputs = []
    for x in inputs:
        interpreter.set_tensor(source, x.reshape(1, 28, 28, 1))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(result)[0].copy())
    return np.stack(outputs)


def describe(tflite):
    """The operators of the file with shapes, parameters and multiply-accumulates; input and output quantization."""
    interpreter = tf.lite.Interpreter(model_content=tflite, experimental_op_resolver_type=Resolver.BUILTIN_REF)
    interpreter.allocate_tensors()
    tensors, layer_list = {t["index"]: t for t in interpreter.get_tensor_details()}, []
    for op in interpreter._get_ops_details():
        ins, out = [tensors[i] for i in op["inputs"] if i >= 0], tensors[op["outputs"][0]]["shape"].tolist()
        constant = [t["shape"].tolist() for t in ins[1:]] if "CONV" in op["op_name"] or "FULLY" in op["op_name"] else []
        positions = out[1] * out[2] if "CONV" in op["op_name"] else 1
        layer_list.append({"op": op["op_name"], "input": ins[0]["shape"].tolist(), "output": out,
                           "weights": constant[0] if constant else None,
                           "scales": len(ins[1]["quantization_parameters"]["scales"]) if constant else None,
                           "params": int(sum(np.prod(s) for s in constant)),
                           "macs": int(positions * np.prod(constant[0])) if constant else 0})
    def ends(details):
        scale, zero = details[0]["quantization"]
        return {"shape": details[0]["shape"].tolist(), "type": np.dtype(details[0]["dtype"]).name,
                "scale": float(scale), "zeroPoint": int(zero)}
    return layer_list, ends(interpreter.get_input_details()), ends(interpreter.get_output_details())


def score(predicted, labels):
    """Correct answers, the share, and its 95% interval (Wilson)."""
    n, correct, z = len(labels), int((predicted == labels).sum()), 1.959964
    share = correct / n
    middle, half = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    interval = [round(float((middle + side * half) / (1 + z * z / n)), 4) for side in (-1, 1)]
    return {"correct": correct, "of": n, "accuracy": round(share, 4), "interval95": interval}


def png(pixels):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 0)  # 8 bits, grayscale
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def main():
    source = pathlib.Path(sys.argv[1])
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(SEED)
    (images, labels, _), (test_images, test_labels, test_index) = read_digits(source)
    as_float = lambda pixels: pixels[..., None].astype(np.float32) / 255
    if "--validate" in sys.argv:
        model = train(images[:7000], labels[:7000])
        answers = model.predict_on_batch(as_float(images[7000:])).argmax(1)
        return print("validation:", score(answers, labels[7000:]))

    model = train(images, labels)
    tflite = convert(model, images[:500])
    layer_list, input_end, output_end = describe(tflite)
    inputs = (test_images.astype(np.int16) - 128).astype(np.int8)
    quantized = np.round(test_images / np.float32(255) / np.float32(input_end["scale"])) + input_end["zeroPoint"]
    assert (quantized == inputs).all(), "an input value should be the pixel less 128"
    outputs = run_int8(tflite, inputs)
    builtin = {"builtin": Resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES, "reference": Resolver.BUILTIN_REF}
    others = {name: run_int8(tflite, inputs, resolver).astype(int) for name, resolver in builtin.items()}
    answers = outputs.argmax(1)

    def answered(pixels):
        return score(run_int8(tflite, (pixels.astype(np.int16) - 128).astype(np.int8)).argmax(1), test_labels)
    limits = {f"shifted{n}": answered(np.pad(test_images, ((0, 0), (n, 0), (n, 0)))[:, :28, :28]) for n in (2, 4, 6)}
    limits["blackOnWhite"] = answered(255 - test_images)

    # Golden: of each class the right answer that was least sure (most of the output bytes then say something, so that
    # a wrong rounding anywhere shows), then the first six others of the test digits. Pictures: the first sure ones.
    right, best = answers == test_labels, outputs.max(1)
    of_class = lambda mask, digit: np.flatnonzero(mask & (test_labels == digit))
    unsure = [int(rows[best[rows].argmin()]) for rows in (of_class(right, digit) for digit in range(10))]
    golden = unsure + [row for row in np.flatnonzero(right).tolist() if row not in unsure][:6]
    pictures = {name: int(of_class(right & (best == 127), digit)[0]) for digit, name in NAMES.items()}
    origin = lambda row: {"digit": int(test_labels[row]), "index": int(test_index[row])}
    card = {
        "tflite": {"bytes": len(tflite), "sha256": hashlib.sha256(tflite).hexdigest()},
        "digits": {"training": len(labels), "test": len(test_labels),
                   "sha256": hashlib.sha256(source.read_bytes()).hexdigest()},
        "float": score(model.predict_on_batch(as_float(test_images)).argmax(1), test_labels),
        "int8": score(answers, test_labels),
        "limits": limits,
        "otherKernels": {name: {**score(out.argmax(1), test_labels),
                                "outputsUnequalToXnnpack": int((out != outputs).sum()), "outputs": outputs.size,
                                "largestDifference": int(abs(out - outputs.astype(int)).max())}
                         for name, out in others.items()},
        "input": input_end, "output": output_end, "layers": layer_list,
        "params": sum(layer["params"] for layer in layer_list), "macs": sum(layer["macs"] for layer in layer_list),
        "golden": [origin(row) for row in golden], "pictures": {name: origin(row) for name, row in pictures.items()},
        "made": {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.__version__,
                 "numpy": np.__version__, "architecture": platform.machine()},
    }
    (HERE / "golden").mkdir(exist_ok=True)
    (HERE / "digits.tflite").write_bytes(tflite)
    (HERE / "labels.txt").write_text("".join(f"{digit}\n" for digit in range(10)))
    (HERE / "golden/inputs.bin").write_bytes(inputs[golden].tobytes())
    (HERE / "golden/outputs.xnnpack.bin").write_bytes(outputs[golden].tobytes())
    (HERE / "golden/labels.json").write_text(json.dumps(test_labels[golden].tolist()) + "\n")
    for name, row in pictures.items():
        (HERE / name).write_bytes(png(test_images[row]))
    text = re.sub(r"\[([^][{}]*)\]", lambda found: " ".join(found[0].split()).replace("[ ", "[").replace(" ]", "]"),
                  json.dumps(card, indent=1))
    (HERE / "card.json").write_text(text + "\n")
    print(f"{len(tflite)} bytes, float {card['float']}, int8 {card['int8']}")


if __name__ == "__main__":
    main()
