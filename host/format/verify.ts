// Whether a model's bytes are the ones that its user trusts: by the file's SHA-256, by its signer's Ed25519 key, or
// both. Invariant: called before anything of the file is used; whatever is missing, malformed or cannot be computed
// here is MoteError UNTRUSTED, never a pass. It proves where a model comes from; it hides nothing of it.
import { MoteError } from "../errors.ts";
import { SIGNATURE, SIGNATURE_CONTEXT } from "./layout.ts";
import { readSections } from "./sections.ts";

/** What must hold of a file before it is used; at least one of the two. */
export interface VerifyOptions {
  /** SHA-256 of the whole file in hexadecimal */
  readonly sha256?: string;
  /** the signer's Ed25519 public key: its 32 bytes, or base64 of these as `mote sign` prints it */
  readonly publicKey?: string | Uint8Array;
}

function untrusted(why: string, cause?: unknown): MoteError {
  return new MoteError("UNTRUSTED", `The model is not trusted: ${why}.`, { cause });
}

const sha256 = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The key's 32 bytes; standard and URL-safe base64 are read alike. */
function keyBytes(key: string | Uint8Array): Uint8Array {
  const text = typeof key === "string" ? key.trim().replaceAll("-", "+").replaceAll("_", "/") : "";
  const bytes = typeof key === "string" ? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)) : key;
  if (bytes.length !== 32) throw new Error(`a public key has 32 bytes, not ${bytes.length}`);
  return bytes;
}

async function checkSignature(bytes: Uint8Array, key: string | Uint8Array): Promise<void> {
  const wanted = keyBytes(key);
  const [header, image, selfTest, signature] = readSections(bytes);
  if (!signature) throw untrusted("it is not signed; sign it with mote sign");
  const part = (from: number, to: number): Uint8Array => signature.subarray(from, to);
  if (!same(part(SIGNATURE.publicKey, SIGNATURE.signature), wanted)) throw untrusted("another key signed it");
  const parts = [bytes.subarray(0, SIGNATURE.preamble), header, image, selfTest];
  const hashes = await Promise.all(parts.map(sha256));
  if (!hashes.every((hash, i) => same(hash, part(i * 32, i * 32 + 32))))
    throw untrusted("a section has another SHA-256 than its signature says");
  const message = [...new TextEncoder().encode(SIGNATURE_CONTEXT), ...part(0, SIGNATURE.signature)];
  const imported = await crypto.subtle.importKey("raw", wanted as BufferSource, "Ed25519", false, ["verify"]);
  const signed = part(SIGNATURE.signature, SIGNATURE.bytes) as BufferSource;
  if (!(await crypto.subtle.verify("Ed25519", imported, signed, Uint8Array.from(message))))
    throw untrusted("its signature is wrong");
}

/** Resolves if all that `options` names holds of `bytes`; throws MoteError UNTRUSTED otherwise. */
export async function verifyModel(bytes: Uint8Array, options: VerifyOptions): Promise<void> {
  try {
    // a setting that is there without a value is a mistake, not a wish to trust everything
    if (!("sha256" in options || "publicKey" in options)) throw new Error("neither sha256 nor publicKey is given");
    if ("sha256" in options) {
      const got = hexOf(await sha256(bytes));
      const expected = String(options.sha256).trim().toLowerCase();
      if (got !== expected) throw untrusted(`its SHA-256 is ${got}, expected ${expected}`);
    }
    if ("publicKey" in options) await checkSignature(bytes, options.publicKey!);
  } catch (cause) {
    if (cause instanceof MoteError && cause.code === "UNTRUSTED") throw cause;
    throw untrusted(`it cannot be checked (${cause instanceof Error ? cause.message : cause})`, cause);
  }
}
