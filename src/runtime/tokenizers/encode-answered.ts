import type { Tokenizer } from './load-tokenizer.ts';

/** A text to go on with, as a model is asked: with what stands before a text, such as the beginning-of-text token. */
export const encodeOpening = (tokenizer: Pick<Tokenizer, 'encodePieces'>, prompt: string): Int32Array =>
  tokenizer.encodePieces([prompt], { opens: true })[0]!;

/** Two texts joined as they are: the tokens that the model is asked with, and those of the answer after them. */
export function encodeAnswered(
  tokenizer: Tokenizer,
  prompt: string,
  answer: string,
): readonly [prompt: Int32Array, answer: Int32Array] {
  const [asked, answered] = tokenizer.encodePieces([prompt, answer], { opens: true });
  return [asked!, answered!];
}
