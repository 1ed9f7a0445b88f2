// What the command owes to its caller, on the WASI engines that are installed beside Node's.
import { it } from "vitest";
import { describeBehaviour } from "./behaviour.ts";
import { COMMAND_ENGINES } from "./commands.ts";

for (const engine of COMMAND_ENGINES.slice(1)) {
  const reason = engine.absent();
  if (reason === undefined) describeBehaviour(engine, "simd");
  // the slow engines are not for every run of the tests
  else if (engine.quick) it(`needs ${engine.name}`, ({ skip }) => skip(reason));
}
