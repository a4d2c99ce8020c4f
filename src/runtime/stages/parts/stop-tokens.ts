/** Where an answer ends. */
import { endOfTurn } from '../../tokenizers/chat-template.ts';
import type { Tokenizer } from '../../tokenizers/load-tokenizer.ts';

/** End of text, and the template's end of a turn where there is a template. */
export function stopTokens(tokenizer: Tokenizer, template: string): number[] {
  return template === '' ? [tokenizer.eos] : [...new Set([tokenizer.eos, endOfTurn(tokenizer, template)])];
}
