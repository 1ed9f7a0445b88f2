// A flatbuffers ByteBuffer that checks every access: the library's JavaScript has no verifier, and
// reads outside its bytes as zeros. Invariant: whatever the bytes say, each read is inside them, each
// offset points forward into them, and the number of reads is bounded by the file's size; anything
// else is a ToolError "BAD_FILE".

import { ByteBuffer, type Encoding } from "flatbuffers";
import { damaged } from "./file.ts";

/** Far above what a sound file needs, and small enough that a hostile one ends at once. */
const READS_PER_BYTE = 16;
const READS_ALWAYS = 100_000;

export class CheckedBuffer extends ByteBuffer {
  readonly #file: string;
  readonly #size: number;
  #readsLeft: number;

  constructor(bytes: Uint8Array, file: string) {
    super(bytes);
    this.#file = file;
    this.#size = bytes.length;
    this.#readsLeft = bytes.length * READS_PER_BYTE + READS_ALWAYS;
  }

  #damaged(what: string): never {
    throw damaged(this.#file, what);
  }

  #check(offset: number, bytes: number): void {
    // One comparison also refuses NaN.
    if (!(offset >= 0 && offset + bytes <= this.#size)) {
      this.#damaged(`it refers to ${bytes} bytes at offset ${offset}, but has ${this.#size} bytes`);
    }
    if (--this.#readsLeft < 0) this.#damaged("its tables refer to the same bytes over and over");
  }

  override readUint8(offset: number): number {
    this.#check(offset, 1);
    return super.readUint8(offset);
  }

  override readUint16(offset: number): number {
    this.#check(offset, 2);
    return super.readUint16(offset);
  }

  // readUint32, readInt64, readUint64 and readFloat32 are built on this one.
  override readInt32(offset: number): number {
    this.#check(offset, 4);
    return super.readInt32(offset);
  }

  override __offset(table: number, slot: number): number {
    const vtable = table - this.readInt32(table);
    const vtableBytes = this.readUint16(vtable);
    const tableBytes = this.readUint16(vtable + 2);
    if (vtableBytes < 4 || vtableBytes % 2 !== 0) this.#damaged(`the table at offset ${table} has no valid layout`);
    this.#check(vtable, vtableBytes);
    this.#check(table, tableBytes);
    const field = slot < vtableBytes ? this.readUint16(vtable + slot) : 0;
    if (field !== 0 && field >= tableBytes) this.#damaged(`the table at offset ${table} has a field outside it`);
    return field;
  }

  override __indirect(offset: number): number {
    const distance = this.readUint32(offset);
    if (distance < 4) this.#damaged(`the reference at offset ${offset} points nowhere`);
    this.#check(offset + distance, 4);
    return offset + distance;
  }

  override __vector(offset: number): number {
    return this.__indirect(offset) + 4;
  }

  /** Every element has at least one byte; wider ones are checked when they are read. */
  override __vector_len(offset: number): number {
    const start = this.__indirect(offset);
    const length = this.readUint32(start);
    this.#check(start + 4, length);
    return length;
  }

  override __union(table: { bb: ByteBuffer; bb_pos: number }, offset: number): { bb: ByteBuffer; bb_pos: number } {
    table.bb_pos = this.__indirect(offset);
    table.bb = this;
    return table;
  }

  override __string(offset: number, encoding?: Encoding): string | Uint8Array {
    this.#readsLeft -= this.__vector_len(offset);
    return super.__string(offset, encoding);
  }
}
