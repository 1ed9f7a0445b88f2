// What the tests of hostile files share: a file taken apart, and the two allowed outcomes of reading one.
import { expect } from "vitest";
import { MoteError } from "../../host/errors.ts";
import { DTYPES } from "../../host/format/dtype.ts";
import { MAX_TOTAL_BYTES, type ModelFile, readModel } from "../../host/format/reader.ts";
import { encodeHeader, joinSections, type ModelContent } from "../../tools/pack/file.ts";

/** A file whose checksums are right, whatever its header says. */
export const fileOf = ({ image, selfTest }: ModelContent, header: unknown): Uint8Array =>
  joinSections([encodeHeader(header), image, Uint8Array.from([...selfTest.inputs[0]!, ...selfTest.outputs[0]!])]);

/** The error that reading gives; fails the test for any other kind. */
export function refusal(bytes: Uint8Array): MoteError {
  try {
    readModel(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(MoteError);
    return error as MoteError;
  }
  throw new Error("the file was accepted");
}

/** The model, with everything in range, or undefined when a MoteError refused it; fails the test for all else. */
export function survive(bytes: Uint8Array, how: string): ModelFile | undefined {
  let file: ModelFile;
  try {
    file = readModel(bytes);
  } catch (error) {
    if (error instanceof MoteError && (error.code === "BAD_MODEL" || error.code === "VERSION")) return undefined;
    throw new Error(`${how}: not a MoteError: ${String(error)}`, { cause: error });
  }
  const { imageBytes, totalBytes } = file.header.memory;
  const inRange = [...file.inputs, ...file.outputs].every(({ port, offset, bytes, length }) => {
    const product = port.shape.reduce((a, b) => a * b, 1);
    return (
      offset >= imageBytes &&
      offset + bytes <= totalBytes &&
      length === product &&
      bytes === length * DTYPES[port.storage].bytes
    );
  });
  if (!inRange || imageBytes !== file.image.length || totalBytes > MAX_TOTAL_BYTES)
    throw new Error(`${how}: out of range`);
  return file;
}
