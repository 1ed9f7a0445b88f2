export interface Sentence {
  readonly input_ids: Int32Array;
  readonly attention_mask: Int32Array;
}
export interface Sized {
  readonly rows: number;
  readonly session: { run(feed: Readonly<Record<string, Int32Array>>): Record<string, ArrayLike<number>> };
}

/** of @huggingface/tokenizers */
export type Tokenizer = object;

export function readTokenizer(tokenizer: object, config: object): Tokenizer;
export function feedOf(tokenizer: Tokenizer, sentence: string, rows: number): Sentence;
export function embedder(tokenizer: Tokenizer, sessions: readonly Sized[]): (sentence: string) => Float32Array;
export function similarity(a: Float32Array, b: Float32Array): number;
