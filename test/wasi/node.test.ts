// The WASI command and a compiled model in Node's own WASI host, by host/targets/wasi.ts.
import { describeBehaviour } from "./behaviour.ts";
import { nodeEngine } from "./runner.ts";

describeBehaviour(nodeEngine(), "simd");
describeBehaviour(nodeEngine(), "scalar");
