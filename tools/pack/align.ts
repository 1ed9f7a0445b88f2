// Invariant: what kernels read in vectors starts at a multiple of 16.

export function align16(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
