/**
 * The ways in which llama.cpp cuts a text before byte pairs are merged, by their names in `tokenizer.ggml.pre`: each pattern
 * in turn cuts what the ones before it left. @see https://github.com/ggml-org/llama.cpp `src/llama-vocab.cpp`, llm_tokenizer_bpe
 */
import type { TokenizerJson } from '../tokenizers/tokenizer-files.ts';

export interface PreTokenizer {
  readonly patterns: readonly string[];
  /** A piece that is a token is taken whole. */
  readonly ignoresMerges?: boolean;
}

const CONTRACTIONS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const END = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const words = (digits: string) =>
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${END}`;
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";
/** Where llama.cpp has neither \p{Lu} nor \p{Ll}: letters that are not a to z, and letters that are not A to Z. */
const UPPER = '(?:(?=\\p{L})[^a-z])';
const LOWER = '(?:(?=\\p{L})[^A-Z])';
const cased = (after: string, digits: string) =>
  [
    `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${after}`,
    `[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${after}`,
    `${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${END}`,
  ].join('|');

export const preTokenizers: Readonly<Record<string, PreTokenizer>> = {
  'smaug-bpe': { patterns: [words('\\p{N}{1,3}')] },
  'llama-bpe': { patterns: [words('\\p{N}{1,3}')], ignoresMerges: true },
  qwen2: { patterns: [words('\\p{N}')] },
  'gpt-2': { patterns: [GPT2] },
  smollm: { patterns: ['\\p{N}', GPT2] },
  'gpt-4o': { patterns: [cased(`${CONTRACTIONS}?`, '\\p{N}{1,3}')] },
  tekken: { patterns: [cased('', '\\p{N}')], ignoresMerges: true },
  'deepseek-v3': {
    patterns: [
      '\\p{N}{1,3}',
      '[一-龥\\u3040-ゟ゠-ヿ]+',
      `[!"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_\`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${END}`,
    ],
  },
};

const I_CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const publishedWords = (digits: string) =>
  `${I_CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${END}`;
const U = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const L = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const publishedCased = (after: string, digits: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?${U}*${L}+${after}|[^\\r\\n\\p{L}\\p{N}]?${U}+${L}*${after}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${END}`;

/** The patterns of tokenizer.json that they are made for. @see the tokenizer.json of each model */
const published: Readonly<Record<string, readonly string[]>> = {
  'smaug-bpe': [publishedWords('\\p{N}{1,3}')],
  'llama-bpe': [publishedWords('\\p{N}{1,3}')],
  qwen2: [publishedWords('\\p{N}')],
  'gpt-2': [`${GPT2}|\\s+`],
  smollm: ['\\p{N}', `${GPT2}|\\s+`],
  'gpt-4o': [publishedCased(`${I_CONTRACTIONS}?`, '\\p{N}{1,3}')],
  tekken: [publishedCased('', '\\p{N}')],
};

/** Those that a tokenizer may be written with: the one that is made for it, or else all, the likeliest first. */
export function preTokenizersFor(json: TokenizerJson): string[] {
  const ignoresMerges = json.model.ignore_merges === true;
  const agrees = (name: string) => (preTokenizers[name]!.ignoresMerges ?? false) === ignoresMerges;
  const names = Object.keys(preTokenizers);
  const cuts = JSON.stringify(cutsOf(json.pre_tokenizer));
  const exact = names.find((name) => agrees(name) && JSON.stringify(published[name]) === cuts);
  return exact === undefined ? names.sort((a, b) => Number(agrees(b)) - Number(agrees(a))) : [exact];
}

interface Cut {
  readonly type?: string;
  readonly pretokenizers?: readonly Cut[];
  readonly pattern?: { readonly Regex?: string };
  readonly behavior?: string;
  readonly use_regex?: boolean;
  readonly individual_digits?: boolean;
  readonly add_prefix_space?: boolean;
}

/** The patterns that cut a text, one after another; undefined among them for what is no such pattern. */
function cutsOf(preTokenizer: unknown): (string | undefined)[] {
  const cut = (preTokenizer ?? {}) as Cut;
  if (cut.type === 'Sequence') return (cut.pretokenizers ?? []).flatMap(cutsOf);
  if (cut.type === 'Split' && cut.behavior === 'Isolated') return [cut.pattern?.Regex];
  if (cut.type === 'Digits') return [cut.individual_digits === true ? '\\p{N}' : undefined];
  if (cut.type !== 'ByteLevel' || cut.add_prefix_space === true) return [undefined];
  return cut.use_regex === false ? [] : [`${GPT2}|\\s+`];
}
