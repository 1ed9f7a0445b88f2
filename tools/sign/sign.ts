// Signs a .mote file: appends the SHA-256 of every section and an Ed25519 signature of them (host/format/layout.ts draws
// it; RFC 8032). Invariant: the sections themselves stay as they are, and the same file and key give the same bytes.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
} from "node:crypto";
import { SIGNATURE, SIGNATURE_CONTEXT } from "../../host/format/layout.ts";
import { readModel } from "../../host/format/reader.ts";
import { readSections } from "../../host/format/sections.ts";
import { ToolError } from "../errors.ts";
import { joinSections } from "../pack/file.ts";

/** A signer's key pair. */
export interface SigningKey {
  /** PKCS #8, as a PEM file; to be kept secret */
  readonly privateKey: string;
  /** the 32 bytes of the public key in base64: what `verify: { publicKey }` takes */
  readonly publicKey: string;
}

export function generateSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    publicKey: publicKeyOf(privateKey),
  };
}

function publicKeyOf(privateKey: KeyObject): string {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return Buffer.from(x!, "base64url").toString("base64");
}

function readKey(pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // a key with a passphrase, of another form, or none at all
  }
  if (key?.asymmetricKeyType === "ed25519") return key;
  const got = key ? `a key of type ${key.asymmetricKeyType}` : "something else";
  throw new ToolError(
    "BAD_FILE",
    `The key must be an Ed25519 private key in PEM form without passphrase, got ${got}; make one with mote sign --generate-key.`,
  );
}

export const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/**
 * The file with a signature, in place of the one that it may have.
 *
 * @param bytes a whole .mote file
 * @param pem the private key that `generateSigningKey` or `openssl genpkey -algorithm ed25519` made
 * @throws MoteError BAD_MODEL or VERSION; ToolError BAD_FILE for the key
 */
export function signModel(bytes: Uint8Array, pem: string): { readonly bytes: Uint8Array; readonly publicKey: string } {
  const key = readKey(pem);
  readModel(bytes);
  const [header, image, selfTest] = readSections(bytes);
  const signature = new Uint8Array(SIGNATURE.bytes);
  // the preamble's first bytes are as they will be: the signature's size is fixed
  const preamble = joinSections([header, image, selfTest, signature]).subarray(0, SIGNATURE.preamble);
  const publicKey = publicKeyOf(key);
  for (const [i, part] of [preamble, header, image, selfTest].entries()) signature.set(sha256(part), i * 32);
  signature.set(Buffer.from(publicKey, "base64"), SIGNATURE.publicKey);
  const message = Buffer.concat([Buffer.from(SIGNATURE_CONTEXT), signature.subarray(0, SIGNATURE.signature)]);
  signature.set(signBytes(null, message, key), SIGNATURE.signature);
  return { bytes: joinSections([header, image, selfTest, signature]), publicKey };
}
