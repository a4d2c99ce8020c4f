/** Characters written without spaces between words: Chinese, and Japanese with its long-vowel mark. */
const UNSPACED = '\\p{Han}\\p{Hiragana}\\p{Katakana}ー';

/**
 * Where a text is cut before byte pairs are merged (Oniguruma syntax, as in tokenizer.json): English contractions; a
 * run of Chinese or Japanese; a word of any other script with one space or sign before it; up to three digits;
 * signs; line ends; blanks. It is Llama 3's pattern with Chinese and Japanese apart, so that neither a
 * full stop nor a Latin word is glued to them.
 */
export const preTokenPattern = [
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)",
  `[${UNSPACED}]+`,
  `[^\\r\\n\\p{L}\\p{N}]?(?:(?![${UNSPACED}])[\\p{L}\\p{M}])+`,
  '\\p{N}{1,3}',
  ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*',
  '\\s*[\\r\\n]+',
  '\\s+(?!\\S)',
  '\\s+',
].join('|');

/** The `pre_tokenizer` of the tokenizer.json files we write. */
export const preTokenizer = {
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: preTokenPattern }, behavior: 'Isolated', invert: false },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
  ],
} as const;
