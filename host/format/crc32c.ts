// CRC-32C (Castagnoli; RFC 3720 appendix B.4): reflected polynomial 0x82F63B78, start and final
// xor 0xFFFFFFFF. Four bytes a step by four tables ("slicing", Kounavis and Berry, 2005).
// Invariant: works at any byte offset and allocates nothing after the first call.

let tables: Int32Array | undefined;

/** table[256·k + byte]: the remainder of `byte` followed by k zero bytes. */
function makeTables(): Int32Array {
  const table = new Int32Array(4 * 256);
  for (let i = 0; i < 1024; i++) {
    if (i < 256) {
      let crc = i;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
      table[i] = crc;
    } else {
      const previous = table[i - 256]!;
      table[i] = (previous >>> 8) ^ table[previous & 255]!;
    }
  }
  return table;
}

/** The CRC-32C of `bytes`, as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  tables ??= makeTables();
  const table = tables;
  const whole = bytes.length & ~3;
  let crc = -1;
  let i = 0;
  for (; i < whole; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      table[768 + (crc & 255)]! ^
      table[512 + ((crc >>> 8) & 255)]! ^
      table[256 + ((crc >>> 16) & 255)]! ^
      table[crc >>> 24]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}
