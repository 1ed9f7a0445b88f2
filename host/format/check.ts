// The structure of the decoded header as data: one `Check` per field of header.ts.
// Invariant: a value that passes `checkHeader` has the types of header.ts, shapes whose products are
// exact integers, unique names, finite positive float32 scales and zero points inside their storage.
// Offsets and sizes are not judged here: reader.ts compares them with the plan.
import { MoteError } from "../errors.ts";
import { DTYPES } from "./dtype.ts";
import type { Header, PortHeader } from "./header.ts";

/** Throws a MoteError when `value`, found at `at`, is not what it should be. */
type Check = (value: unknown, at: string) => void;

export function badModel(at: string, expected: string | number, got: unknown): never {
  const shown =
    typeof got === "string" ? JSON.stringify(got.slice(0, 40)) : typeof got === "object" ? "another type" : got;
  throw new MoteError("BAD_MODEL", `Damaged model: ${at} must be ${expected}, got ${shown}; fetch or pack it again.`);
}

const check =
  (expected: string, holds: (value: unknown) => boolean): Check =>
  (value, at) => {
    if (!holds(value)) badModel(at, expected, value);
  };
const text = check("a string", (value) => typeof value === "string");
const name = check("a name", (value) => typeof value === "string" && value !== "" && value !== "__proto__");
const finite = check("a finite number", Number.isFinite);
const positive = check("a positive float32", (value) => {
  const scale = Math.fround(typeof value === "number" ? value : 0);
  return scale > 0 && scale < Infinity;
});
const count = check("a count", (value) => Number.isSafeInteger(value) && Number(value) >= 0);
const dimension = check("a dimension", (value) => Number.isSafeInteger(value) && Number(value) > 0);
const dtype = check("a dtype", (value) => typeof value === "string" && Object.hasOwn(DTYPES, value));

const optional =
  (inner: Check): Check =>
  (value, at) =>
    value === undefined || inner(value, at);
const list =
  (item: Check): Check =>
  (value, at) => {
    if (!Array.isArray(value)) badModel(at, "a list", value);
    for (let i = 0; i < value.length; i++) item(value[i], `${at}[${i}]`);
  };
const map =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, at) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) badModel(at, "a map", value);
    for (const key in fields) fields[key]!((value as Record<string, unknown>)[key], `${at}.${key}`);
  };

const image = map({ mean: finite, std: positive });
const audio = map({ sampleRate: positive, gain: finite });
const meaning: Check = (value, at) => {
  map({ kind: check("image or audio", (kind) => kind === "image" || kind === "audio") })(value, at);
  ((value as { kind: string }).kind === "image" ? image : audio)(value, at);
};
const port = map({
  name,
  shape: list(dimension),
  dtype,
  storage: dtype,
  scale: optional(positive),
  zeroPoint: optional(finite),
  meaning: optional(meaning),
  labels: optional(list(text)),
});
const step = map({
  name: text,
  op: text,
  kernel: text,
  inputShapes: list(list(dimension)),
  outputShape: list(dimension),
  macs: count,
  paramBytes: count,
  outputSlot: list(count),
  residentSlot: optional(list(count)),
  scratchBytes: count,
});
const header = map({
  name: text,
  inputs: list(port),
  outputs: list(port),
  memory: map({ imageBytes: count, arenaBytes: count, totalBytes: count }),
  steps: list(step),
  provenance: map({ source: text, sourceSha256: text, packedBy: text }),
});

function checkPort(port: PortHeader, at: string): void {
  const { dtype, storage, scale, zeroPoint, shape, labels } = port;
  if (dtype !== storage && dtype !== "float32") badModel(`${at}.storage`, dtype, storage);
  if (dtype !== storage && scale === undefined) badModel(`${at}.scale`, "given", scale);
  const { min, max } = DTYPES[storage];
  const zero = zeroPoint ?? 0;
  if (!Number.isInteger(zero) || zero < min || zero > max)
    badModel(`${at}.zeroPoint`, `an integer of ${storage}`, zero);
  if (labels && labels.length !== (shape.at(-1) ?? 1))
    badModel(`${at}.labels`, `${shape.at(-1)} labels`, labels.length);
}

/** `value` as a Header, or a MoteError that names the first field that is wrong. */
export function checkHeader(value: unknown): Header {
  header(value, "header");
  const checked = value as Header;
  for (const side of ["inputs", "outputs"] as const) {
    const names = new Set<string>();
    for (const port of checked[side]) {
      checkPort(port, `${side} ${JSON.stringify(port.name)}`);
      if (names.has(port.name)) badModel(`header.${side}`, "uniquely named", port.name);
      names.add(port.name);
    }
  }
  checked.steps.forEach((step, i) => {
    for (const slot of ["outputSlot", "residentSlot"] as const) {
      const length = step[slot]?.length ?? 2;
      if (length !== 2) badModel(`header.steps[${i}].${slot}`, "two numbers", length);
    }
  });
  return checked;
}
