// The bench's command line.
import { parseArgs } from "node:util";
import { MODEL_NAMES } from "./models.mjs";

const ENGINES = ["node20", "node24", "chromium", "workerd"];
const PEERS = ["litert", "ort", "tfjs", "native"];

export const HELP = `npm run bench [-- options]
  --models kws,mbv2        of ${MODEL_NAMES.join(", ")}; all that are here
  --engines node20,…       of ${ENGINES.join(", ")}; node20 is the Node that runs this
  --peers litert,ort,…     of ${PEERS.join(", ")}, or none
  --builds auto,simd,…     Mote's: "auto" is what the host chooses; default auto and every build
  --rounds N               times that everything is measured, in turn; 3
  --seconds S              timed in each round, after 1 to 2 s of warm-up or more while that helps; 2
  --layers                 single operators and each model's steps, on Mote's cores
  --avx2                   without AVX-VNNI in the engines, as on a machine that has none (native ignores it)
  --quick                  one short round of kws, resnet8 and mbv2 in node20 and chromium
  --chromium PATH          the browser, when it is not in PATH
  --write                  writes docs/bench.md and docs/bench.svg too`;

export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string" },
      engines: { type: "string" },
      peers: { type: "string" },
      builds: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      chromium: { type: "string" },
      avx2: { type: "boolean", default: false },
      layers: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { quick, layers, avx2, write, help, chromium } = values;
  const seconds = positive("seconds", values.seconds, quick ? 0.4 : 2);
  return {
    models: list("models", values.models, MODEL_NAMES) ?? (quick ? ["kws", "resnet8", "mbv2"] : undefined),
    engines: list("engines", values.engines, ENGINES) ?? (quick ? ["node20", "chromium"] : ENGINES),
    peers: list("peers", values.peers, PEERS) ?? PEERS,
    builds: values.builds?.split(","),
    rounds: positive("rounds", values.rounds, quick ? 1 : 3),
    seconds,
    warmSeconds: Math.min(2, Math.max(1, seconds)),
    chromium,
    layers,
    avx2,
    quick,
    write,
    help,
  };
}

function list(name, text, allowed) {
  if (text === undefined) return undefined;
  if (text === "none" || text === "") return [];
  const names = text.split(",").map((each) => (each === "resnet" ? "resnet8" : each));
  const unknown = names.find((each) => !allowed.includes(each));
  if (unknown) throw new Error(`--${name}: "${unknown}" is none of ${allowed.join(", ")}`);
  return names;
}

function positive(name, text, usual) {
  const value = text === undefined ? usual : Number(text);
  if (!(value > 0)) throw new Error(`--${name}: "${text}" is not a positive number`);
  return value;
}
