// Signed models: what is refused is refused by one code, whoever loads it and whatever was done to the file.
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { VerifyOptions } from "../../host/format/verify.ts";
import { loadModel } from "../../host/index.ts";
import { generateSigningKey, signModel } from "../../tools/sign/sign.ts";
import { folder, mote } from "../cli/command.ts";
import { CORE } from "../support/core.ts";
import { tinyModel } from "../support/tinyModel.ts";

const signer = generateSigningKey();
const other = generateSigningKey();
const plain = tinyModel();
const { bytes: signed } = signModel(plain, signer.privateKey);
const byOther = signModel(plain, other.privateKey).bytes;
const hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const load = (bytes: Uint8Array, verify: VerifyOptions) => loadModel(bytes, { core: CORE, verify });
const refused = (bytes: Uint8Array, verify: VerifyOptions, why = "") =>
  expect(load(bytes, verify)).rejects.toMatchObject({ code: "UNTRUSTED", message: expect.stringContaining(why) });

describe("a signed model", () => {
  it("loads with its signer's key, in either base64 or as bytes, and without any", async () => {
    const raw = new Uint8Array(Buffer.from(signer.publicKey, "base64"));
    const forms = [signer.publicKey, Buffer.from(raw).toString("base64url"), ` ${signer.publicKey}\n`, raw];
    for (const publicKey of forms) expect((await load(signed, { publicKey })).name).toBe("tiny");
    expect((await (await loadModel(signed, { core: CORE })).createSession()).selfTest()).toBe(true);
    expect((await load(signed, { publicKey: raw, sha256: hex(signed).toUpperCase() })).name).toBe("tiny");
  });

  it("is the same bytes every time, and signing again replaces the signature", () => {
    expect(signModel(plain, signer.privateKey).bytes).toEqual(signed);
    expect(signModel(byOther, signer.privateKey).bytes).toEqual(signed);
  });

  it("is refused for every flipped bit", async () => {
    const accepted: number[] = [];
    for (let bit = 0; bit < signed.length * 8; bit += 1) {
      const altered = signed.slice();
      altered[bit >> 3]! ^= 1 << (bit & 7);
      const code = await load(altered, { publicKey: signer.publicKey }).then(
        () => "none",
        (error) => error.code,
      );
      if (code !== "UNTRUSTED") accepted.push(bit);
    }
    expect(accepted).toEqual([]);
  });

  it("is refused when cut, lengthened, empty or another kind of file", async () => {
    const publicKey = signer.publicKey;
    for (const bytes of [signed.subarray(0, -1), Uint8Array.from([...signed, 0]), new Uint8Array(), Buffer.from("{}")])
      await refused(bytes, { publicKey }, "cannot be checked");
  });

  it("is refused for another key, no signature, or parts of two files", async () => {
    await refused(byOther, { publicKey: signer.publicKey }, "another key signed it");
    await refused(plain, { publicKey: signer.publicKey }, "not signed");
    // another model's sections, checksums right, under this model's signature
    const changed = signModel(tinyModel({ header: { name: "other" } }), other.privateKey).bytes;
    const grafted = changed.slice();
    grafted.set(signed.subarray(-224), grafted.length - 224);
    await refused(grafted, { publicKey: signer.publicKey });
    // the right key named in a signature that another key made
    const renamed = byOther.slice();
    renamed.set(signed.subarray(-96, -64), renamed.length - 96);
    await refused(renamed, { publicKey: signer.publicKey });
  });

  it("is refused for a setting that is there but says nothing, or nothing that can be", async () => {
    const absent = undefined as unknown as string;
    for (const publicKey of [absent, "", "AAAA", "not base64!", new Uint8Array(31)])
      await refused(signed, { publicKey }, "cannot be checked");
    for (const sha256 of [absent, "", "00", hex(plain)]) await refused(signed, { sha256 }, "its SHA-256 is");
    await refused(signed, {}, "neither sha256 nor publicKey");
    const options = { core: CORE, verify: undefined as unknown as VerifyOptions };
    await expect(loadModel(signed, options)).rejects.toMatchObject({ code: "UNTRUSTED" });
  });

  it("is refused where the engine has no Ed25519", async () => {
    const subtle = Object.getOwnPropertyDescriptor(globalThis, "crypto")!;
    Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
    try {
      await refused(signed, { publicKey: signer.publicKey }, "cannot be checked");
      await refused(signed, { sha256: hex(signed) }, "cannot be checked");
    } finally {
      Object.defineProperty(globalThis, "crypto", subtle);
    }
  });
});

describe("mote sign and mote verify", () => {
  const dir = folder();
  const [key, model, output] = [join(dir, "key.pem"), join(dir, "tiny.mote"), join(dir, "signed.mote")];

  it("make a key, sign and check", async () => {
    writeFileSync(model, plain);
    const made = await mote("sign", "--generate-key", key);
    expect(made).toMatchObject({ status: 0, stderr: "" });
    expect(made.stdout).toMatch(/^[\w+/]{43}=\n$/);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const publicKey = made.stdout.trim();

    const signing = await mote("sign", model, "--key", key, "-o", output, "--json");
    expect(signing).toMatchObject({ status: 0, stderr: "" });
    const bytes = readFileSync(output);
    expect(JSON.parse(signing.stdout)).toEqual({ publicKey, bytes: bytes.length, sha256: hex(bytes) });

    const good = await mote("verify", output, "--public-key", publicKey, "--sha256", hex(bytes));
    expect(good).toMatchObject({ status: 0, stderr: "" });
    expect(good.stdout).toContain("signature, and SHA-256 of every section");
    const inspected = JSON.parse((await mote("inspect", output, "--json")).stdout);
    expect(inspected).toMatchObject({ signedBy: publicKey, sha256: hex(bytes) });
    expect(inspected.sections.at(-1)).toMatchObject({ name: "signature", bytes: 224 });
  });

  it("say why not, with status 1", async () => {
    const wrong = await mote("verify", output, "--public-key", other.publicKey);
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toBe(`mote: ${output}: The model is not trusted: another key signed it.\n`);
    const unsigned = await mote("verify", model, "--public-key", signer.publicKey, "--json");
    expect(JSON.parse(unsigned.stdout)).toMatchObject({ error: { code: "UNTRUSTED" } });
    const again = await mote("sign", "--generate-key", key);
    expect(again).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("name a new file") });
    expect(readFileSync(key, "utf8")).toContain("PRIVATE KEY");
    const noKey = await mote("sign", model, "--key", model, "-o", join(dir, "none.mote"));
    expect(noKey.stderr).toContain("must be an Ed25519 private key in PEM form");
  });

  it.each([
    [["sign"], "name a .mote file"],
    [["sign", "m.mote"], "add --key FILE"],
    [["sign", "m.mote", "--key", "k"], "add --output FILE"],
    [["sign", "m.mote", "--generate-key", "k"], "stands alone"],
  ])("%j is refused with status 2", async (words, message) => {
    const { status, stderr } = await mote(...words);
    expect({ status, said: stderr.includes(message) }).toEqual({ status: 2, said: true });
  });
});
