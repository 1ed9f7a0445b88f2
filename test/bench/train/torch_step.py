# One SGD step of a net by PyTorch on one thread: python3 torch_step.py NET SECONDS
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
net, seconds = sys.argv[1], float(sys.argv[2])
SPEC = json.loads(sys.argv[3])


def drawn(name, shape, limit=1.0):
    seed = 0x811C9DC5
    for unit in name:
        seed = ((seed ^ ord(unit)) * 0x01000193) & 0xFFFFFFFF
    i = torch.arange(math.prod(shape), dtype=torch.int64)
    h = (seed ^ (i * 0x9E3779B1)) & 0xFFFFFFFF
    h = h ^ (h >> 16)
    h = (h * 0x85EBCA6B) & 0xFFFFFFFF
    h = h ^ (h >> 13)
    h = (h * 0xC2B2AE35) & 0xFFFFFFFF
    h = h ^ (h >> 16)
    return (((h >> 19) - 4096).double() / 4096 * limit).float().reshape(shape)


canonical = {name: drawn(name, shape, limit) for name, shape, limit in SPEC["parameters"]}
x = drawn("x", SPEC["input"])
labels = torch.arange(64) * 7 % 10
if net == "gru":
    layer = torch.nn.GRU(16, 64, batch_first=True)
    for name, theirs in zip(("wx", "wh", "bx", "bh"), layer.parameters()):
        theirs.data = canonical[name]
    p = {**dict(zip(("wx", "wh", "bx", "bh"), layer.parameters())), "w": canonical["w"].requires_grad_(), "c": canonical["c"].requires_grad_()}
    forward = lambda: F.linear(layer(x)[1][0], p["w"], p["c"])
elif net == "mlp":
    p = {name: value.requires_grad_() for name, value in canonical.items()}
    forward = lambda: F.linear(F.relu(F.linear(x, p["w1"], p["c1"])), p["w2"], p["c2"])
else:
    # its own layout, NCHW, contiguous: what it is fastest with
    p = {name: (value.permute(0, 3, 1, 2).contiguous() if value.dim() == 4 else value) for name, value in canonical.items()}
    p["w1"] = p["w1"].reshape(64, 14, 14, 32).permute(0, 3, 1, 2).reshape(64, 6272).contiguous()
    p = {name: value.requires_grad_() for name, value in p.items()}
    x = x.permute(0, 3, 1, 2).contiguous()

    def forward():
        h = F.relu(F.conv2d(x, p["k1"], p["b1"], padding=1))
        h = F.relu(F.conv2d(h, p["k2"], p["b2"], padding=1, stride=2))
        return F.linear(F.relu(F.linear(h.flatten(1), p["w1"], p["c1"])), p["w2"], p["c2"])


optimizer = torch.optim.SGD(list(p.values()), 0.01)


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(forward(), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


loss = F.cross_entropy(forward(), labels)
loss.backward()
gradients = {}
for name, value in p.items():
    g = value.grad
    if g.dim() == 4:
        g = g.permute(0, 2, 3, 1)
    if net == "cnn" and name == "w1":
        g = g.reshape(64, 32, 14, 14).permute(0, 2, 3, 1)
    g = g.reshape(-1).double()
    gradients[name] = [float((g * g).sum()), float((g * drawn("along " + name, [len(g)]).double()).sum())]
for _ in range(10):
    step()
times = []
end = time.perf_counter() + seconds
while time.perf_counter() < end or len(times) < 2:
    started = time.perf_counter()
    step()
    times.append((time.perf_counter() - started) * 1000)
print(json.dumps({"loss": loss.item(), "gradients": gradients, "times": times, "version": torch.__version__}))
