/** A tokenizer as llama.cpp keeps it: tokens with types, merges or scores, special tokens, the chat template. */
import type { Policy } from '../stages/stage.ts';
import type { TokenizerJson } from '../tokenizers/tokenizer-files.ts';
import { type Faithful, faithful } from './faithful.ts';
import { GgufError } from './gguf-error.ts';
import { bool, type Entries, floats, integers, text, texts } from './metadata.ts';
import { preTokenizersFor } from './pre-tokenizers.ts';
import { type Pair, scoresOfMerges } from './scores.ts';
import { specialTokenEntries } from './special-token-entries.ts';
import { TokenType } from './token-types.ts';

export type VocabularyPolicy = Pick<Policy, 'tokenizer' | 'tokenizerFiles' | 'template' | 'stop'>;

/**
 * @param size Rows of the embedding: what the tokenizer does not fill is written as unused tokens.
 * Errors: GgufError for a tokenizer that llama.cpp has no like of, or where it would give ordinary text other ids.
 */
export function vocabularyMetadata(policy: VocabularyPolicy, size: number): Faithful {
  const { json } = policy.tokenizerFiles;
  if (json.model.type !== 'BPE') throw noSuchTokenizer(`the kind ${String(json.model.type)}`);
  const vocabulary = vocabularyOf(json, size);
  const common = [...vocabulary.entries, ...specialTokenEntries(policy)];
  const merges = mergesOf(json);
  if (json.model.byte_fallback === true) {
    const scores = floats(scoresOfMerges(vocabulary.tokens, merges));
    const candidates = [true, false].map(
      (spaceFirst): Entries => [
        ['tokenizer.ggml.model', text('llama')],
        ['tokenizer.ggml.pre', text('default')],
        ...common,
        ['tokenizer.ggml.scores', scores],
        ['tokenizer.ggml.add_space_prefix', bool(spaceFirst)],
      ],
    );
    return faithful(policy, candidates);
  }
  if (!/"type":"ByteLevel"/.test(JSON.stringify(json.decoder)))
    throw noSuchTokenizer('byte pairs without bytes');
  const candidates = preTokenizersFor(json).map(
    (pre): Entries => [
      ['tokenizer.ggml.model', text('gpt2')],
      ['tokenizer.ggml.pre', text(pre)],
      ...common,
      ['tokenizer.ggml.merges', texts(merges.map(([left, right]) => `${left} ${right}`))],
    ],
  );
  return faithful(policy, candidates);
}

const noSuchTokenizer = (what: string): GgufError =>
  new GgufError(`a tokenizer of ${what} cannot be written as GGUF`, [
    'GGUF holds byte-level BPE and BPE with byte fallback; export with format=hf',
  ]);

function vocabularyOf(json: TokenizerJson, size: number): { tokens: readonly string[]; entries: Entries } {
  const tokens = Array.from({ length: size }, (_, id) => `[PAD${id}]`);
  const types: number[] = new Array<number>(size).fill(TokenType.unused);
  const put = (token: string, id: number, type: number) => {
    if (id >= size)
      throw new GgufError(
        `the token ${JSON.stringify(token)} has the id ${id}, and the model has ${size} rows`,
      );
    tokens[id] = token;
    types[id] = type;
  };
  const unknown = json.model.unk_token;
  for (const [token, id] of Object.entries(json.model.vocab as Record<string, number>)) {
    const byte = json.model.byte_fallback === true && /^<0x[0-9A-F]{2}>$/.test(token);
    put(token, id, byte ? TokenType.byte : token === unknown ? TokenType.unknown : TokenType.normal);
  }
  for (const { content, id, special } of json.added_tokens)
    if (types[id] !== TokenType.unknown)
      put(content, id, special ? TokenType.control : TokenType.userDefined);
  if (new Set(tokens).size < size)
    throw new GgufError('the vocabulary names one token twice, which llama.cpp does not load');
  return {
    tokens,
    entries: [
      ['tokenizer.ggml.tokens', texts(tokens)],
      ['tokenizer.ggml.token_type', integers(types)],
    ],
  };
}

/** Written "a b" or ["a", "b"]. */
const mergesOf = (json: TokenizerJson): Pair[] =>
  (json.model.merges as (string | Pair)[]).map((merge) =>
    typeof merge === 'string' ? (merge.split(' ', 2) as [string, string]) : merge,
  );
