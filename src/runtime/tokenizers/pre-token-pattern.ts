/** Characters written without spaces between words: Chinese, and Japanese with its long-vowel mark. */
const UNSPACED = '\\p{Han}\\p{Hiragana}\\p{Katakana}ー';

/** A run is cut after so many characters, so that text without any boundary costs no more than other text. */
const RUN = '{1,128}';

/**
 * Where a text is cut before byte pairs are merged (Oniguruma syntax, as in tokenizer.json): English contractions; a
 * run of Chinese or Japanese; a word of any other script with one space or sign before it; up to three digits;
 * signs; line ends; blanks. It is Llama 3's pattern with Chinese and Japanese apart, so that neither a
 * full stop nor a Latin word is glued to them, and with runs of bounded length.
 */
const preTokenPattern = [
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)",
  `[${UNSPACED}]${RUN}`,
  `[^\\r\\n\\p{L}\\p{N}]?(?:(?![${UNSPACED}])[\\p{L}\\p{M}])${RUN}`,
  '\\p{N}{1,3}',
  ` ?[^\\s\\p{L}\\p{N}]${RUN}[\\r\\n]{0,128}`,
  `\\s{0,128}[\\r\\n]${RUN}`,
  `\\s${RUN}(?!\\S)`,
  `\\s${RUN}`,
].join('|');

/** The `pre_tokenizer` of the tokenizer.json files we write. */
export const preTokenizer = {
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: preTokenPattern }, behavior: 'Isolated', invert: false },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
  ],
} as const;
