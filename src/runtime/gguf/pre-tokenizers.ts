/**
 * The ways in which llama.cpp cuts a text before byte pairs are merged, by their names in `tokenizer.ggml.pre`: each pattern
 * in turn cuts what the ones before it left. @see https://github.com/ggml-org/llama.cpp `src/llama-vocab.cpp`, llm_tokenizer_bpe
 */
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

/** Those that a tokenizer may be written with, the likeliest first. */
export const preTokenizersFor = (ignoresMerges: boolean): string[] =>
  Object.keys(preTokenizers).sort(
    (a, b) => Number(agrees(b, ignoresMerges)) - Number(agrees(a, ignoresMerges)),
  );

const agrees = (name: string, ignoresMerges: boolean): boolean =>
  (preTokenizers[name]!.ignoresMerges ?? false) === ignoresMerges;
