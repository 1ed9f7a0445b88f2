// The memory plan: where in the arena each tensor, temporary and scratch lies. Two buffers share
// bytes only when no step needs both. Greedy by size (Pisarchyk & Lee, "Efficient Memory Management
// for Deep Neural Net Inference", 2020): largest first, each at the lowest offset that is free
// through its whole life.
//
//   offset ▲
//          │ ┌──conv1──┐   ┌─dw2─┐          a box is a buffer: its width the steps
//          │ └────┬────┴┬──┴──┬──┤          through which it lives, its height its bytes
//          │ input│     └ dw1 ┴──┘
//          └──────┴──────────────────▶ step
//
// Invariant: offsets are multiples of 16; buffers whose lives overlap never overlap in bytes.

export interface Buffer {
  readonly name: string;
  readonly bytes: number;
  /** first and last step that needs it, both included; −1 is before the first step */
  readonly first: number;
  readonly last: number;
}

export interface PlacedBuffer extends Buffer {
  readonly offset: number;
}

export interface Arena {
  /** in the order given */
  readonly buffers: readonly PlacedBuffer[];
  readonly bytes: number;
}

const ALIGN = 16;

/** The first `leading` buffers lie at the start, in their order; they must live throughout. */
export function planArena(buffers: readonly Buffer[], leading = 0): Arena {
  const bySize = (a: number, b: number): number => buffers[b]!.bytes - buffers[a]!.bytes || a - b;
  const all = buffers.map((_, i) => i);
  const order = [...all.slice(0, leading), ...all.slice(leading).sort(bySize)];
  const placed: PlacedBuffer[] = [];
  const result: PlacedBuffer[] = new Array(buffers.length);
  let bytes = 0;
  for (const index of order) {
    const buffer = buffers[index]!;
    const size = Math.ceil(buffer.bytes / ALIGN) * ALIGN;
    let offset = 0;
    // `placed` is sorted by offset: walk up until a gap is large enough.
    for (const other of placed) {
      if (other.last < buffer.first || other.first > buffer.last) continue;
      if (offset + size <= other.offset) break;
      offset = Math.max(offset, Math.ceil((other.offset + other.bytes) / ALIGN) * ALIGN);
    }
    const at = { ...buffer, offset };
    result[index] = at;
    const before = placed.findIndex((other) => other.offset > offset);
    placed.splice(before < 0 ? placed.length : before, 0, at);
    bytes = Math.max(bytes, offset + size);
  }
  return { buffers: result, bytes };
}
