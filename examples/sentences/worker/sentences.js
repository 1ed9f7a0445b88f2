// A request's body → its sentences. Invariant: what is given on is 1 to 16 well-formed strings of 1 to 1,000 characters.
import { HttpError } from "mote-runtime/worker";

const MOST = 16;
const MOST_CHARACTERS = 1000;
/** Each character written as an escape of six letters, and as much again for the rest. */
export const MOST_BYTES = 2 * 6 * MOST * MOST_CHARACTERS;

/** @returns {string[]} throws HttpError 400 for what is no JSON, 422 for what is no such request */
export function sentencesOf(bytes) {
  let given;
  try {
    given = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new HttpError(400, "The body is not JSON in UTF-8.", { cause });
  }
  const sentences = given?.sentences;
  if (!Array.isArray(sentences)) throw new HttpError(422, 'The body must be {"sentences": [...]}.');
  if (sentences.length < 1 || sentences.length > MOST)
    throw new HttpError(422, `A request has 1 to ${MOST} sentences, not ${sentences.length}.`);
  for (const [i, sentence] of sentences.entries()) {
    if (typeof sentence !== "string" || !sentence.isWellFormed())
      throw new HttpError(422, `Sentence ${i + 1} is not well-formed text.`);
    const { length } = sentence;
    if (!sentence.trim() || length > MOST_CHARACTERS)
      throw new HttpError(
        422,
        `Sentence ${i + 1} must have 1 to ${MOST_CHARACTERS} characters, not ${length} or blanks.`,
      );
  }
  return sentences;
}
