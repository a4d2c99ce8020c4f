/**
 * `@huggingface/tokenizers` with the types of what we call: its own declarations do not resolve under Node's module
 * resolution (imports without extension).
 */
import * as tokenizers from '@huggingface/tokenizers';

export interface Engine {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
  decode(
    ids: readonly number[],
    options: { readonly skip_special_tokens: boolean; readonly clean_up_tokenization_spaces: boolean },
  ): string;
  token_to_id(token: string): number | undefined;
  get_vocab(): Map<string, number>;
  readonly model: {
    /** Pre-tokens → tokens. */
    (pieces: readonly string[]): string[];
    readonly tokens_to_ids: ReadonlyMap<string, number>;
  };
}

interface PreTokenizer {
  pre_tokenize_text(text: string): string[];
}

interface Package {
  readonly Tokenizer: new (json: object, config: object) => Engine;
  readonly SplitPreTokenizer: new (config: object) => PreTokenizer & { readonly pattern: RegExp | null };
  readonly ByteLevelPreTokenizer: new (config: object) => PreTokenizer;
}

const { Tokenizer, SplitPreTokenizer, ByteLevelPreTokenizer } = tokenizers as unknown as Package;

export function makeEngine(json: object, config: object): Engine {
  return new Tokenizer(json, config);
}

/** The pattern of a `Split` as the regular expression that the package runs (flags `gu`). */
export function compileSplit(split: object): RegExp {
  const { pattern } = new SplitPreTokenizer(split);
  if (pattern === null) throw new Error('tokenizer.json: its pre-tokenizer has no pattern');
  return pattern;
}

/** Text → the characters that stand for its bytes. */
export function byteCharacters(): (text: string) => string {
  const bytes = new ByteLevelPreTokenizer({ type: 'ByteLevel', use_regex: false });
  return (text) => bytes.pre_tokenize_text(text)[0] ?? '';
}
