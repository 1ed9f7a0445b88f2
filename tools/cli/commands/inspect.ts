// `mote inspect`: what a file says about itself, and where in it everything lies.

import type { Command } from "commander";
import { Plan } from "../../../assembly/abi.ts";
import {
  FORMAT_VERSION,
  PREAMBLE,
  PREAMBLE_BYTES,
  SECTION_NAMES,
  SECTION_RECORD_BYTES,
  SIGNATURE,
} from "../../../host/format/layout.ts";
import { type ModelFile, type PortSlot, readModel } from "../../../host/format/reader.ts";
import { readSections } from "../../../host/format/sections.ts";
import type { Meaning, PortHeader } from "../../../host/targets/node.ts";
import { sha256 } from "../../sign/sign.ts";
import { readInput } from "../files.ts";
import { naming } from "../model.ts";
import { type OutputOptions, print } from "../output.ts";
import { count, fields, table } from "../table.ts";

const MORE = `
Examples:
  mote inspect digits.mote
  mote inspect digits.mote --json | jq .inputs

Exit status: 0 done, 1 the file is damaged or of another version, 2 bad usage.`;

export function addInspect(program: Command): void {
  program
    .command("inspect")
    .summary("show a model's inputs, outputs, memory, sections and provenance")
    .description("Show what a model file says about itself: inputs, outputs, memory, sections, versions, provenance.")
    .argument("<model>", "a .mote file")
    .option("--json", "print one JSON object")
    .addHelpText("after", MORE)
    .action(inspect);
}

interface Section {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly crc32c: string;
  readonly sha256: string;
}

/** Where the sections lie, as the preamble says; `readModel` has found it right. */
function sectionsOf(bytes: Uint8Array): Section[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return SECTION_NAMES.map((name, i) => {
    const [offset, length, crc] = [0, 4, 8].map((field) =>
      view.getUint32(PREAMBLE.sections + i * SECTION_RECORD_BYTES + field, true),
    ) as [number, number, number];
    const hash = sha256(bytes.subarray(offset, offset + length)).toString("hex");
    return { name, offset, bytes: length, crc32c: crc.toString(16).padStart(8, "0"), sha256: hash };
  }).filter(({ offset }) => offset > 0);
}

/** The public key that the file says it was signed with, in base64; whether that holds, `mote verify` tells. */
function readSignature(bytes: Uint8Array): string | null {
  const [, , , signature] = readSections(bytes);
  return signature
    ? Buffer.from(signature.subarray(SIGNATURE.publicKey, SIGNATURE.signature)).toString("base64")
    : null;
}

function describe(bytes: Uint8Array, { header, image, inputs, outputs }: ModelFile) {
  const plan = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const port = ({ port, offset, bytes: size }: PortSlot) => ({
    ...port,
    arenaOffset: offset - image.length,
    bytes: size,
  });
  return {
    name: header.name,
    fileBytes: bytes.length,
    versions: {
      format: FORMAT_VERSION,
      plan: plan.getUint32(Plan.AbiVersion * 4, true),
      numerics: plan.getUint32(Plan.NumericsVersion * 4, true),
    },
    inputs: inputs.map(port),
    outputs: outputs.map(port),
    memory: header.memory,
    steps: header.steps.length,
    macs: header.steps.reduce((sum, { macs }) => sum + macs, 0),
    sections: [{ name: "preamble", offset: 0, bytes: PREAMBLE_BYTES }, ...sectionsOf(bytes)],
    sha256: sha256(bytes).toString("hex"),
    signedBy: readSignature(bytes),
    provenance: header.provenance,
  };
}

async function inspect(path: string, options: OutputOptions): Promise<void> {
  const bytes = await readInput(path);
  const what = describe(bytes, await naming(path, () => readModel(bytes)));
  print(options, what, () => inspection(what));
}

export function meaningText(meaning: Meaning): string {
  return meaning.kind === "image"
    ? `image, real = (pixel − ${meaning.mean}) / ${meaning.std}`
    : `audio, ${meaning.sampleRate} samples a second, gain ${meaning.gain}`;
}

function portRows(side: string, ports: readonly PortHeader[]) {
  return ports.map(({ name, shape, dtype, storage, scale, zeroPoint, meaning, labels }) => [
    side,
    name,
    dtype === storage ? dtype : `${dtype} (stored as ${storage})`,
    shape.join("×"),
    scale === undefined ? "" : `${Number(scale.toPrecision(7))}`,
    scale === undefined ? "" : `${zeroPoint}`,
    [...(meaning ? [meaningText(meaning)] : []), ...(labels ? [labelsText(labels)] : [])].join("; "),
  ]);
}

function labelsText(labels: readonly string[]): string {
  const shown = labels.slice(0, 3).join(", ");
  return labels.length > 3 ? `${labels.length} classes: ${shown}, …` : `classes: ${shown}`;
}

function inspection(what: ReturnType<typeof describe>): string {
  const { memory, provenance, versions } = what;
  return [
    fields([
      ["model", what.name],
      ["file", `${count(what.fileBytes)} bytes`],
      ["work", `${count(what.steps)} steps, ${count(what.macs)} MACs a run`],
      ["versions", `format ${versions.format}, plan ${versions.plan}, numerics ${versions.numerics}`],
      ["packed by", provenance.packedBy],
      ["source", provenance.source],
      ["SHA-256", `${provenance.sourceSha256} of the source`],
      ["", `${what.sha256} of this file`],
      ["signed by", what.signedBy ?? "nobody"],
    ]),
    table(
      ["", "name", "dtype", "shape", "scale", "zero point", "meaning"],
      [...portRows("input", what.inputs), ...portRows("output", what.outputs)],
    ),
    table(
      ["memory", "bytes", ""],
      [
        ["image", memory.imageBytes, "plan, tables and weights"],
        ["arena", memory.arenaBytes, "inputs, outputs and everything between"],
        ["total", memory.totalBytes, ""],
      ],
    ),
    table(
      ["section", "offset", "bytes", "CRC-32C", "SHA-256"],
      what.sections.map((section) => [
        section.name,
        section.offset,
        section.bytes,
        "crc32c" in section ? section.crc32c : "",
        "sha256" in section ? section.sha256 : "",
      ]),
    ),
  ].join("\n\n");
}
