import { TokenizerError } from './tokenizer-error.ts';
import { type TokenizerConfig, type TokenizerJson, textOfName } from './tokenizer-files.ts';

/**
 * The tokenizer.json of GPT-2's two files: `vocab.json` (token → id) and `merges.txt` (a pair a line, in the order they were
 * learned). `added`: added_tokens.json, token → id.
 * @throws TokenizerError for a line that is no pair
 */
export function byteLevelFrom(
  vocab: Readonly<Record<string, unknown>>,
  mergesText: string,
  added: Readonly<Record<string, unknown>>,
  config: TokenizerConfig,
): TokenizerJson {
  const lines = mergesText.split(/\r?\n/);
  const merges: [string, string][] = [];
  lines.forEach((line, i) => {
    if (line === '' || (i === 0 && line.startsWith('#version'))) return;
    const [left, right, ...rest] = line.split(' ');
    if (left === undefined || right === undefined || rest.length > 0)
      throw new TokenizerError('merges.txt', `cannot be used: line ${i + 1} is no pair of tokens`);
    merges.push([left, right]);
  });
  const ends = ['bos_token', 'eos_token', 'unk_token', 'pad_token']
    .map((role) => textOfName(config[role] as TokenizerConfig['eos_token']))
    .concat('<|endoftext|>');
  const special = new Map(
    [...new Set(ends)].flatMap((content) => {
      const id = content === undefined ? undefined : (vocab[content] ?? added[content]);
      return content === undefined || id === undefined ? [] : [[content, id]];
    }),
  );
  const tokens = new Map([...special, ...Object.entries(added)]);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...tokens].map(([content, id]) => ({
      id: id as number,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: special.has(content),
    })),
    normalizer: null,
    pre_tokenizer: {
      type: 'ByteLevel',
      add_prefix_space: config.add_prefix_space === true,
      trim_offsets: true,
      use_regex: true,
    },
    post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}
