// Builds .npy files for tests, well-formed or with a header of the test's own.

export function npyFile(header: string, elements: ArrayBufferView, version = 1): Uint8Array {
  const start = version === 1 ? 10 : 12;
  const padded = `${header.padEnd(Math.ceil((start + header.length + 1) / 64) * 64 - start - 1)}\n`;
  const file = Buffer.alloc(start + padded.length + elements.byteLength);
  file.write("\x93NUMPY", 0, "latin1");
  file[6] = version;
  if (version === 1) file.writeUInt16LE(padded.length, 8);
  else file.writeUInt32LE(padded.length, 8);
  file.write(padded, start, "latin1");
  file.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength), start + padded.length);
  return file;
}

export const npyHeader = (descr: string, shape: string): string =>
  `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
