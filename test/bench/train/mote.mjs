// One SGD step of a net by Mote's training engine: node mote.mjs NET SECONDS
import { Machine, ops, ParameterSet, sgd, Trace } from "../../../dist/tools/train/index.js";
import { bindUpdates } from "../../../dist/tools/train/optimizers.js";
import { drawn, fingerprint, labels, NETS, RATE, report, time } from "./nets.mjs";

const [, , net, seconds] = process.argv;
const { input, parameters } = NETS[net];
const trace = new Trace(new ParameterSet(), "train");
const p = Object.fromEntries(
  parameters.map(([name, shape, limit]) => [
    name,
    trace.parameter(trace.parameters.declare(name, shape, () => drawn(name, shape, limit))),
  ]),
);
const x = trace.input("x", input);
const outputs = {
  cnn() {
    const h = ops.relu(ops.conv2d(x, p.k1, p.b1, { padding: 1 }));
    const g = ops.relu(ops.conv2d(h, p.k2, p.b2, { padding: 1, stride: 2 }));
    return ops.dense(ops.relu(ops.dense(ops.flatten(g), p.w1, p.c1)), p.w2, p.c2);
  },
  mlp: () => ops.dense(ops.relu(ops.dense(x, p.w1, p.c1)), p.w2, p.c2),
  gru: () => ops.dense(ops.recurrent("gru", x, { wx: p.wx, wh: p.wh, bx: p.bx, bh: p.bh }), p.w, p.c),
};
const loss = ops.crossEntropy(outputs[net](), trace.input("labels", [64], "int32"));
const machine = new Machine(trace.parameters);
const program = machine.compile(trace, { outputs: [loss], loss });
const update = bindUpdates(machine, sgd());
const samples = drawn("x", input);
machine.setRate(RATE);
const step = () => {
  program.set("x", samples);
  program.set("labels", labels);
  program.run();
  update();
};
program.set("x", samples);
program.set("labels", labels);
program.run();
const first = program.get(loss)[0];
const gradients = Object.fromEntries(
  parameters.map(([name]) => [name, fingerprint(name, machine.readGradient(trace.parameters.get(name)))]),
);
for (let i = 0; i < 10; i++) step();
report(first, gradients, await time(step, Number(seconds)));
