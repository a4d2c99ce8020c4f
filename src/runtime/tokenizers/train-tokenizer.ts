import { byteAlphabet } from './byte-alphabet.ts';
import { WordCounter } from './count-words.ts';
import { learnMerges } from './learn-merges.ts';
import { preTokenizer } from './pre-token-pattern.ts';
import type { TokenizerConfig, TokenizerFiles } from './tokenizer-files.ts';

/** Ends a document; also the end of text for generation. */
export const endOfText = '<|endoftext|>';
/** Fills rows up to a common length; never a target. */
const padding = '<|pad|>';

export interface TrainTokenizerOptions {
  /** Upper bound on the number of ids, special tokens and the 256 bytes included. */
  readonly vocabularySize: number;
  /** Those of the chat template; `<|endoftext|>` and `<|pad|>` come first in any case. */
  readonly specialTokens?: readonly string[];
  /** A pair that occurs less often is not merged. */
  readonly minCount?: number;
  /** Written into tokenizer_config.json. */
  readonly chatTemplate?: string;
}

/**
 * Trains a byte-level BPE tokenizer. Ids: special tokens, then the 256 bytes, then merges in the order they were
 * learned; fewer than `vocabularySize` where the texts have no more pairs to merge. The same multiset of
 * texts gives the same tokenizer, whatever their order, where it has no more than a million different words (`WordCounter`).
 * @throws Error where `vocabularySize` does not hold the special tokens and the bytes, or a special token is too short
 */
export async function trainTokenizer(
  texts: AsyncIterable<string> | Iterable<string>,
  options: TrainTokenizerOptions,
): Promise<TokenizerFiles> {
  const { vocabularySize, minCount = 2 } = options;
  const specialTokens = [...new Set([endOfText, padding, ...(options.specialTokens ?? [])])];
  const tooShort = specialTokens.find((token) => [...token].length < 2);
  if (tooShort !== undefined)
    throw new Error(`the special token "${tooShort}" is shorter than two characters`);
  const least = specialTokens.length + 256;
  if (!(vocabularySize >= least)) {
    throw new Error(
      `a vocabulary of ${vocabularySize} is too small: ${specialTokens.length} special tokens and 256 bytes need ${least}`,
    );
  }
  const counter = new WordCounter(specialTokens);
  for await (const text of texts) counter.add(text);
  const merges = learnMerges(counter.words(), vocabularySize - least, minCount);
  const symbols = [...byteAlphabet];
  const pairs = merges.map(([left, right]): [string, string] => {
    symbols.push(symbols[left]! + symbols[right]!);
    return [symbols[left]!, symbols[right]!];
  });
  const vocabulary = new Map([...specialTokens, ...symbols].map((token, id) => [token, id]));
  return {
    json: tokenizerJson(vocabulary, pairs, specialTokens),
    config: tokenizerConfig(specialTokens, options.chatTemplate),
  };
}

function tokenizerJson(
  vocabulary: ReadonlyMap<string, number>,
  merges: readonly [string, string][],
  specialTokens: readonly string[],
): TokenizerFiles['json'] {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({ id, content, ...plain, special: true })),
    normalizer: null,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary),
      merges,
    },
  };
}

const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };

function tokenizerConfig(specialTokens: readonly string[], chatTemplate?: string): TokenizerConfig {
  const others = specialTokens.filter((token) => token !== endOfText && token !== padding);
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    eos_token: endOfText,
    pad_token: padding,
    additional_special_tokens: others,
    added_tokens_decoder: Object.fromEntries(
      specialTokens.map((content, id) => [String(id), { content, ...plain, special: true }]),
    ),
    ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }),
  };
}
