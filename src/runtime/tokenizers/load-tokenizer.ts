import { soughtTokens } from './added-tokens.ts';
import { allAddedTokens } from './all-added-tokens.ts';
import { unusable } from './component.ts';
import { compileDecoder, type TokenDecoder } from './decoders.ts';
import { compileNormalizer } from './normalizers.ts';
import { compilePostProcessor } from './post-processor.ts';
import { type Encode, textEncoder } from './text-encoder.ts';
import { compileModel } from './token-model.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { type TokenizerConfig, type TokenizerJson, textOfName } from './tokenizer-files.ts';
import { watch } from './watch.ts';

export interface Tokenizer {
  /**
   * Ids of a text. Special tokens written in the text are matched; none is added. `continues`: text stands before this
   * one, so that a tokenizer that puts a space before a text does not do so.
   * @throws TokenizerError where the pattern of a file from elsewhere takes too long
   */
  encode(text: string, options?: { readonly continues?: boolean }): Int32Array;
  /**
   * Ids of each piece of one text: as the whole is encoded, but that no token crosses from a piece to the next. `opens`: with
   * what the post-processor puts before a text.
   */
  encodePieces(pieces: readonly string[], options?: { readonly opens?: boolean }): Int32Array[];
  /**
   * Ids of a text of its own, with what the file's post-processor puts around it: the beginning of text with Llama, the end
   * with T5, nothing with GPT-2. A text that is written with its beginning of text gets no second one.
   */
  encodeText(text: string): Int32Array;
  /** Text of ids. Bytes that are no UTF-8 become U+FFFD. Special tokens are written out unless skipped. */
  decode(ids: Iterable<number>, options?: { readonly skipSpecialTokens?: boolean }): string;
  /** Undefined where no token has exactly this text. */
  idOf(token: string): number | undefined;
  /** How the vocabulary writes a token; undefined where no token has this id. */
  tokenOf(id: number): string | undefined;
  /** Largest id + 1. */
  readonly vocabularySize: number;
  readonly bos?: number;
  readonly eos: number;
  /** The end of text where the tokenizer names no padding. */
  readonly pad: number;
  /** Ids that stand for no text: those of special tokens. */
  readonly specialIds: ReadonlySet<number>;
  /** Text of the bos and eos tokens, for chat templates. */
  readonly bosToken: string;
  readonly eosToken: string;
  /** Texts of all tokens with a role, by the role: what chat templates see. */
  readonly roles: Readonly<Record<string, string>>;
  readonly decoder: TokenDecoder;
}

/**
 * The tokenizer of a Hugging Face model directory: the ids are those that the Rust library `tokenizers` gives, or an error
 * says what cannot be run.
 * @throws TokenizerError where the files are no tokenizer or name no end-of-text token
 */
export function loadTokenizer(json: TokenizerJson, config: TokenizerConfig): Tokenizer {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new TokenizerError('tokenizer.json', 'is no tokenizer: it holds no object');
  const model = compileModel(json.model);
  const added = allAddedTokens(json, config, model.vocabulary.ids);
  const ids = new Map([...model.vocabulary.ids, ...added.map(({ content, id }) => [content, id] as const)]);
  const roles = rolesOf(config);
  const idOfRole = (role: string) => roleId(roles, role, ids);
  const [bos, eos, pad] = ['bos_token', 'eos_token', 'pad_token'].map(idOfRole);
  if (eos === undefined)
    throw new TokenizerError('tokenizer_config.json', 'names no eos_token, so an answer would never end', [
      'add `"eos_token": "…"`, the token that the model was trained to end a text with',
    ]);
  const normalize = compileNormalizer(json.normalizer);
  const watched = watch([json.normalizer, json.pre_tokenizer]);
  const sought = watched(
    added.map(({ content }) => content),
    () => soughtTokens(added, normalize),
  );
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of ids) tokens[id] = token;
  for (const { token, text } of sought) tokens[token.id] = text;
  const specialIds = new Set([
    ...added.filter(({ special }) => special).map(({ id }) => id),
    ...[bos, eos, pad].filter((id) => id !== undefined),
  ]);
  // By text, as the Rust library has it: a special token that normalization changes is not skipped.
  const skipped = new Set([...ids].filter(([, id]) => specialIds.has(id)).map(([token]) => token));
  const encodeAll = textEncoder(json.pre_tokenizer, normalize, sought, model);
  const encode: Encode = (pieces, continues) => watched(pieces, () => encodeAll(pieces, continues));
  const decoder = compileDecoder(json.decoder);
  const surroundings = compilePostProcessor(json.post_processor);
  requireKnown([...surroundings.before, ...surroundings.after], tokens);
  return {
    encode: (text, { continues = false } = {}) => encode([text], continues)[0]!,
    encodePieces(pieces, { opens = false } = {}) {
      const [first, ...rest] = encode(pieces, false);
      return opens ? [surrounded(first!, { ...surroundings, after: [] }, bos), ...rest] : [first!, ...rest];
    },
    encodeText: (text) => surrounded(encode([text], false)[0]!, surroundings, bos),
    decode(given, { skipSpecialTokens = false } = {}) {
      const texts = Array.from(given, (id) => tokens[id]).filter((token) => token !== undefined);
      const kept = skipSpecialTokens ? texts.filter((text) => !skipped.has(text)) : texts;
      return decoder.decode(kept, { first: true, last: true });
    },
    idOf: (token) => ids.get(token),
    tokenOf: (id) => tokens[id],
    vocabularySize: tokens.length,
    ...(bos === undefined ? {} : { bos }),
    eos,
    pad: pad ?? eos,
    specialIds,
    bosToken: roles.bos_token ?? '',
    eosToken: roles.eos_token!,
    roles,
    decoder,
  };
}

function rolesOf(config: TokenizerConfig): Record<string, string> {
  const entries = Object.entries(config).flatMap(([key, name]) => {
    const text = key.endsWith('_token') ? textOfName(name as TokenizerConfig['eos_token']) : undefined;
    return typeof text === 'string' ? [[key, text] as const] : [];
  });
  return Object.fromEntries(entries);
}

function roleId(
  roles: Readonly<Record<string, string>>,
  role: string,
  ids: ReadonlyMap<string, number>,
): number | undefined {
  const text = roles[role];
  const id = text === undefined ? undefined : ids.get(text);
  if (text === undefined || id !== undefined) return id;
  throw new TokenizerError(
    'tokenizer_config.json',
    `names "${text}" as ${role}, which is not in the vocabulary of tokenizer.json`,
  );
}

function requireKnown(ids: readonly number[], tokens: readonly (string | undefined)[]): void {
  const unknown = ids.find((id) => tokens[id] === undefined);
  if (unknown !== undefined) throw unusable('post_processor', `adds the id ${unknown}, which no token has`);
}

function surrounded(
  ids: Int32Array,
  { before, after }: { readonly before: readonly number[]; readonly after: readonly number[] },
  bos: number | undefined,
): Int32Array {
  const twice = bos !== undefined && before.at(-1) === bos && ids[0] === bos;
  const made = new Int32Array(before.length + ids.length + after.length - (twice ? 1 : 0));
  made.set(before);
  made.set(twice ? ids.subarray(1) : ids, before.length);
  made.set(after, made.length - after.length);
  return made;
}
