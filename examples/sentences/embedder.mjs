// Sentences → embeddings of length 1, in any host: the caller brings the session of a packed model and the tokenizer's two
// files. Invariant: a sentence longer than the model's rows is cut at its end and keeps the closing token.
import { Tokenizer } from "@huggingface/tokenizers";

/** int32 ids, and a mask of as many ones, both of `rows`. */
export function feedOf(tokenizer, sentence, rows) {
  const { ids } = tokenizer.encode(sentence);
  if (ids.length > rows) ids.splice(rows - 1, ids.length - rows);
  const feed = { input_ids: new Int32Array(rows), attention_mask: new Int32Array(rows) };
  feed.input_ids.set(ids);
  feed.attention_mask.fill(1, 0, ids.length);
  return feed;
}

export const readTokenizer = (tokenizer, config) => new Tokenizer(tokenizer, config);

/**
 * `sessions`: one for each number of rows that there is a model of, smallest first; a sentence takes the first that holds it.
 * @param {{ rows: number, session: { run(feed: object): Record<string, Float32Array> } }[]} sessions
 */
export function embedder(tokenizer, sessions) {
  return (sentence) => {
    const { length } = tokenizer.encode(sentence).ids;
    const { rows, session } = sessions.find((one) => one.rows >= length) ?? sessions.at(-1);
    return Float32Array.from(session.run(feedOf(tokenizer, sentence, rows)).embedding);
  };
}

/** Of two embeddings: 1 where they point the same way. */
export const similarity = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
