// CRC-32C, four bits a step: the table of 16 words takes less room than the code of a faster one would.
// Reflected polynomial 0x82F63B78, as in host/format/crc32c.ts.

const table: usize = memory.data(64, 4);

/** Goes on from `crc`, which starts as −1; the checksum is the complement of the last. */
export function crc32c(crc: u32, at: usize, bytes: usize): u32 {
  if (load<u32>(table, 4) == 0) {
    for (let i: u32 = 0; i < 16; i++) {
      let word = i;
      for (let bit = 0; bit < 4; bit++) word = (word >> 1) ^ (word & 1 ? 0x82f63b78 : 0);
      store<u32>(table + (i << 2), word);
    }
  }
  for (const end = at + bytes; at < end; at++) {
    crc ^= load<u8>(at);
    crc = (crc >> 4) ^ load<u32>(table + ((crc & 15) << 2));
    crc = (crc >> 4) ^ load<u32>(table + ((crc & 15) << 2));
  }
  return crc;
}
