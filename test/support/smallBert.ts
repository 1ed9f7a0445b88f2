// Random weights of a BERT of any size, named as all-MiniLM-L6-v2's are, for examples/sentences/bert.mjs to write as ONNX.
// Invariant: the same size gives the same bytes; one channel between the dense layers of each is thirty times as large as
// the others, as large transformers have it.
import type { BertConfig } from "../../examples/sentences/bert.mjs";
import { Random } from "./random.ts";

export interface BertSize {
  readonly config: BertConfig;
  readonly vocabulary: number;
  /** channels between a layer's dense products */
  readonly wide: number;
  readonly rows: number;
}

/** A safetensors file of such weights. */
export function bertWeights({ config, vocabulary, wide, rows }: BertSize): Uint8Array {
  const random = new Random(7);
  const table: Record<string, object> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  const put = (name: string, shape: readonly number[], value: (i: number) => number): void => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++) data[i] = value(i);
    table[name] = { dtype: "F32", shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
    parts.push(new Uint8Array(data.buffer));
  };
  const drawn = (size: number) => (): number => random.real(-size, size);
  const { hidden_size: width } = config;
  put("embeddings.word_embeddings.weight", [vocabulary, width], drawn(1));
  put("embeddings.position_embeddings.weight", [rows, width], drawn(0.3));
  put("embeddings.token_type_embeddings.weight", [2, width], drawn(0.1));
  const norm = (name: string): void => {
    put(`${name}.weight`, [width], (i) => (i === 3 ? 6 : 1));
    put(`${name}.bias`, [width], drawn(0.1));
  };
  const dense = (name: string, outputs: number, inputs: number, row = -1): void => {
    const value = drawn(1 / Math.sqrt(inputs));
    put(`${name}.weight`, [outputs, inputs], (i) => value() * (Math.floor(i / inputs) === row ? 30 : 1));
    put(`${name}.bias`, [outputs], drawn(0.1));
  };
  norm("embeddings.LayerNorm");
  for (let l = 0; l < config.num_hidden_layers; l++) {
    const from = `encoder.layer.${l}`;
    for (const what of ["self.query", "self.key", "self.value", "output.dense"])
      dense(`${from}.attention.${what}`, width, width);
    norm(`${from}.attention.output.LayerNorm`);
    dense(`${from}.intermediate.dense`, wide, width, 5);
    dense(`${from}.output.dense`, width, wide, 9);
    norm(`${from}.output.LayerNorm`);
  }
  const json = new TextEncoder().encode(JSON.stringify(table));
  const bytes = new Uint8Array(8 + json.length + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let to = 8 + json.length;
  for (const part of parts) {
    bytes.set(part, to);
    to += part.length;
  }
  return bytes;
}
