import { preTokenizer } from './pre-token-pattern.ts';

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const END = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const WORDS = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+`;
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';

/** GPT-2's, which `ByteLevel` uses. */
export const gpt2Pattern =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * Regular expressions of published tokenizers whose time grows with the length of the text: they may run unwatched.
 * @see https://github.com/openai/tiktoken `openai_public.py`, and the tokenizer.json of each model
 */
export const knownPatterns: ReadonlySet<string> = new Set([
  preTokenizer.pretokenizers[0].pattern.Regex,
  gpt2Pattern,
  // Llama 3, Qwen 2, GPT-4o and its kin
  `${WORDS}|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${END}`,
  `${WORDS}|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${END}`,
  [
    `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${CONTRACTIONS}?`,
    `[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${CONTRACTIONS}?`,
    `\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${END}`,
  ].join('|'),
  '[\\r\\n]',
  '\\s?\\p{L}+',
  '\\s?\\p{P}+',
  ' {2,}',
]);
