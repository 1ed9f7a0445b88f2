// The folder of all-MiniLM-L6-v2 and its tokenizer, which examples/sentences/README.md says how to make: 22 MB that are
// not part of this project.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./sources.ts";

const folder = join(root, ".models/minilm");

/** undefined where the model of 64 rows is not made */
export const minilm = existsSync(join(folder, "minilm-64.mote")) ? folder : undefined;

export const MINILM_ABSENT = "all-MiniLM-L6-v2 is absent: examples/sentences/README.md tells how to make it";
