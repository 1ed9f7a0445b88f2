// `mote sign`: appends an Ed25519 signature to a model file, or makes the key for it. Invariant: a private key is
// never printed and never written over a file that is there.

import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { ToolError } from "../../errors.ts";
import { generateSigningKey, sha256, signModel } from "../../sign/sign.ts";
import { fileError, readInput, writeWhole } from "../files.ts";
import { naming } from "../model.ts";
import { type OutputOptions, print } from "../output.ts";
import { fields } from "../table.ts";

interface SignOptions extends OutputOptions {
  readonly key?: string;
  readonly output?: string;
  readonly generateKey?: string;
}

const MORE = `
The signature says who made the file and that it is as it was made: SHA-256 of every section, signed. It hides
nothing of the model. Where the model is loaded, verify: { publicKey } refuses every other file.

Examples:
  mote sign --generate-key signer.pem                      writes the secret key, prints the public one
  mote sign model.mote --key signer.pem -o signed.mote
  mote verify signed.mote --public-key "$PUBLIC_KEY"

Exit status: 0 done, 1 the model or the key is bad, 2 bad usage.`;

export function addSign(program: Command): void {
  program
    .command("sign")
    .summary("sign a model file with an Ed25519 key, or make the key")
    .description("Sign a model file with an Ed25519 key, or make the key.")
    .argument("[model]", "a .mote file")
    .option("--key <file>", "the private key: an Ed25519 key as a PEM file")
    .option("-o, --output <file>", "where to write the signed model; the model itself may be named")
    .option("--generate-key <file>", "make a private key in this new file and print its public key")
    .option("--json", "print one JSON object: publicKey, and of a signed model its bytes and sha256")
    .addHelpText("after", MORE)
    .action(sign);
}

async function sign(path: string | undefined, options: SignOptions): Promise<void> {
  const { key, output, generateKey } = options;
  if (generateKey !== undefined) {
    if (path !== undefined || key !== undefined || output !== undefined)
      throw new ToolError("USAGE", "mote sign --generate-key stands alone: sign the model in a second call.");
    return makeKey(generateKey, options);
  }
  if (path === undefined) throw new ToolError("USAGE", "mote sign must know what to sign: name a .mote file.");
  if (key === undefined) throw new ToolError("USAGE", "mote sign must have a key: add --key FILE.");
  if (output === undefined) throw new ToolError("USAGE", "mote sign must know where to write: add --output FILE.");
  const [bytes, pem] = await Promise.all([readInput(path), readInput(key)]);
  const signed = await naming(path, () => signModel(bytes, Buffer.from(pem).toString()));
  await writeWhole(output, signed.bytes);
  const { publicKey } = signed;
  const result = { publicKey, bytes: signed.bytes.length, sha256: sha256(signed.bytes).toString("hex") };
  print(options, result, () =>
    fields([
      ["signed", `${output}, ${result.bytes} bytes`],
      ["SHA-256", result.sha256],
      ["public key", publicKey],
    ]),
  );
}

async function makeKey(path: string, options: OutputOptions): Promise<void> {
  const { privateKey, publicKey } = generateSigningKey();
  try {
    await writeFile(path, privateKey, { flag: "wx", mode: 0o600 });
    await chmod(path, 0o600);
  } catch (cause) {
    if (existsSync(path))
      throw new ToolError("BAD_FILE", `${path} exists: name a new file, so that no key is lost.`, { cause });
    throw fileError(`The key ${path} cannot be made`, cause);
  }
  print(options, { publicKey }, () => publicKey);
}
