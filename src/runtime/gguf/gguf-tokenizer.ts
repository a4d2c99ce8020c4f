/** The tokenizer that llama.cpp makes of a file's metadata, as the two files of a Hugging Face tokenizer. */
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import type { TokenizerFiles } from '../tokenizers/tokenizer-files.ts';
import type { GgufValue, Metadata, Scalar } from './metadata.ts';
import { preTokenizers } from './pre-tokenizers.ts';
import { mergesOfScores } from './scores.ts';
import { TokenType } from './token-types.ts';

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
}

/** Errors: CheckpointError for keys that are missing, or a tokenizer that ftc does not know. */
export function tokenizerFilesOf(path: string, metadata: Metadata): TokenizerFiles {
  const tokens = list<string>(path, metadata, 'tokens', 'string');
  const types = list<number>(path, metadata, 'token_type', 'number');
  if (types.length !== tokens.length)
    throw new CheckpointError(path, `names ${tokens.length} tokens and ${types.length} token types`);
  const vocabulary = { tokens, types };
  const model = scalar(metadata, 'tokenizer.ggml.model');
  if (model !== 'gpt2' && model !== 'llama')
    throw new CheckpointError(
      path,
      `has a tokenizer of the kind ${JSON.stringify(model)}, which ftc does not read`,
    );
  const parts =
    model === 'gpt2' ? byteLevel(path, metadata, vocabulary) : withScores(path, metadata, vocabulary);
  return {
    json: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(vocabulary),
      post_processor: null,
      ...parts,
    },
    config: tokenizerConfig(metadata, tokens),
  };
}

type Parts = Pick<TokenizerFiles['json'], 'normalizer' | 'pre_tokenizer' | 'decoder' | 'model'>;

const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
const model = {
  type: 'BPE',
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
};

function byteLevel(path: string, metadata: Metadata, vocabulary: Vocabulary): Parts {
  const name = String(scalar(metadata, 'tokenizer.ggml.pre') ?? 'default');
  const pre = preTokenizers[name];
  if (pre === undefined)
    throw new CheckpointError(path, `cuts text as "${name}" before tokens are made, which ftc does not know`);
  return {
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...pre.patterns.map((Regex) => ({
          type: 'Split',
          pattern: { Regex },
          behavior: 'Isolated',
          invert: false,
        })),
        bytes,
      ],
    },
    decoder: bytes,
    model: {
      ...model,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre.ignoresMerges ?? false,
      vocab: idsOf(vocabulary),
      merges: list<string>(path, metadata, 'merges', 'string').map((merge) => pairOf(path, merge)),
    },
  };
}

function pairOf(path: string, merge: string): [string, string] {
  const space = merge.indexOf(' ', 1);
  if (space < 0) throw new CheckpointError(path, `has a merge that is no pair: ${JSON.stringify(merge)}`);
  return [merge.slice(0, space), merge.slice(space + 1)];
}

/** SentencePiece's way: of all neighbours that make a token together, those of the highest score are merged first. */
function withScores(path: string, metadata: Metadata, vocabulary: Vocabulary): Parts {
  const scores = list<number>(path, metadata, 'scores', 'number');
  const unknown = vocabulary.tokens[vocabulary.types.indexOf(TokenType.unknown)] ?? null;
  const space = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const prefixed = scalar(metadata, 'tokenizer.ggml.add_space_prefix') !== false;
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: prefixed ? [{ type: 'Prepend', prepend: '▁' }, space] : [space],
    },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      ...model,
      unk_token: unknown,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: idsOf(vocabulary),
      merges: mergesOfScores(vocabulary.tokens, vocabulary.types, scores),
    },
  };
}

const idsOf = ({ tokens }: Vocabulary) => Object.fromEntries(tokens.map((token, id) => [token, id]));

/** Found in the text as they are written, with nothing stripped around them. */
function addedTokens({ tokens, types }: Vocabulary): TokenizerFiles['json']['added_tokens'] {
  const added: readonly number[] = [TokenType.control, TokenType.userDefined, TokenType.unknown];
  return tokens.flatMap((content, id) => {
    if (!added.includes(types[id]!)) return [];
    const special = types[id] !== TokenType.userDefined;
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

function tokenizerConfig(metadata: Metadata, tokens: readonly string[]): TokenizerFiles['config'] {
  const token = (name: string) =>
    tokens[Number(scalar(metadata, `tokenizer.ggml.${name}_token_id`) ?? -1)] ?? null;
  const template = scalar(metadata, 'tokenizer.chat_template');
  return {
    bos_token: token('bos'),
    eos_token: token('eos'),
    pad_token: token('padding'),
    add_bos_token: scalar(metadata, 'tokenizer.ggml.add_bos_token') === true,
    ...(typeof template === 'string' && { chat_template: template }),
  };
}

function scalar(metadata: Metadata, key: string): Scalar | undefined {
  const value = metadata.get(key);
  return value === undefined || value.type === 'array' ? undefined : value.value;
}

function list<T extends string | number>(
  path: string,
  metadata: Metadata,
  name: string,
  of: 'string' | 'number',
): readonly T[] {
  const value: GgufValue | undefined = metadata.get(`tokenizer.ggml.${name}`);
  const fits = value?.type === 'array' && value.value.every((one) => typeof one === of);
  if (fits) return value.value as readonly T[];
  throw new CheckpointError(path, `has no list tokenizer.ggml.${name}`);
}
