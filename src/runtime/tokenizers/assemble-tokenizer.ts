/** A tokenizer from the files that a model's directory may have: published directories differ in which. */
import { byteLevelFrom } from './byte-level-files.ts';
import { TokenizerError } from './tokenizer-error.ts';
import type { TokenizerConfig, TokenizerFiles, TokenizerJson } from './tokenizer-files.ts';

/** The files of a directory; undefined where it has none of that name. */
export interface TokenizerSource {
  readonly text: (name: string) => Promise<string | undefined>;
  readonly object: (name: string) => Promise<Readonly<Record<string, unknown>> | undefined>;
  readonly has: (name: string) => Promise<boolean>;
}

/**
 * `tokenizer.json`, else GPT-2's `vocab.json` and `merges.txt`; roles and template from `tokenizer_config.json`,
 * `special_tokens_map.json`, `chat_template.jinja` and `chat_template.json`. `ends`: ids that the model's configuration
 * ends a text with, for a directory that names no eos_token. Undefined where the directory has no tokenizer.
 * @throws TokenizerError for a kind of tokenizer that ftc does not read
 */
export async function assembleTokenizer(
  source: TokenizerSource,
  ends: readonly number[],
): Promise<TokenizerFiles | undefined> {
  const config = await configOf(source);
  const raw = await source.text('tokenizer.json');
  const json = raw === undefined ? await legacyJson(source, config) : await source.object('tokenizer.json');
  if (json === undefined) return undefined;
  return {
    json: json as TokenizerJson,
    ...(raw === undefined ? {} : { raw }),
    config: withEnd(config, json as TokenizerJson, ends),
  };
}

async function configOf({ object, text }: TokenizerSource): Promise<TokenizerConfig> {
  const config = await object('tokenizer_config.json');
  const map = await object('special_tokens_map.json');
  // In the older layout, which lists no added tokens here, the map decides.
  const merged = config?.added_tokens_decoder === undefined ? { ...config, ...map } : { ...map, ...config };
  const template =
    (await text('chat_template.jinja')) ??
    merged.chat_template ??
    (await object('chat_template.json'))?.chat_template;
  return (template === undefined ? merged : { ...merged, chat_template: template }) as TokenizerConfig;
}

async function legacyJson(
  source: TokenizerSource,
  config: TokenizerConfig,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const merges = await source.text('merges.txt');
  const vocabulary = merges === undefined ? undefined : await source.object('vocab.json');
  if (merges !== undefined && vocabulary !== undefined)
    return byteLevelFrom(vocabulary, merges, (await source.object('added_tokens.json')) ?? {}, config);
  const model = await firstOf(['tokenizer.model', 'spiece.model', 'sentencepiece.bpe.model'], source.has);
  if (model === undefined) return undefined;
  throw new TokenizerError(model, 'is a SentencePiece model, and there is no tokenizer.json beside it', [
    'write one with Python: `AutoTokenizer.from_pretrained("DIR").save_pretrained("DIR")` of transformers',
  ]);
}

async function firstOf(
  names: readonly string[],
  has: (name: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const name of names) if (await has(name)) return name;
  return undefined;
}

/** Ends of text that are published, where a directory names none. */
const KNOWN_ENDS = ['<|endoftext|>', '</s>', '<|end_of_text|>', '<eos>', '<|im_end|>', '[SEP]'];

function withEnd(config: TokenizerConfig, json: TokenizerJson, ends: readonly number[]): TokenizerConfig {
  if (config.eos_token !== undefined && config.eos_token !== null) return config;
  const added = Array.isArray(json.added_tokens) ? json.added_tokens : [];
  const vocab = json.model?.vocab;
  const entries: readonly (readonly [unknown, unknown])[] = Array.isArray(vocab)
    ? vocab.map((entry, id) => [Array.isArray(entry) ? entry[0] : undefined, id])
    : Object.entries((vocab ?? {}) as object);
  const all = [...entries, ...added.map((token) => [token?.content, token?.id] as const)];
  const configured = all.find(([, id]) => id === ends[0])?.[0];
  const known = new Set(all.map(([content]) => content));
  const end = configured ?? KNOWN_ENDS.find((token) => known.has(token));
  return typeof end === 'string' ? { ...config, eos_token: end } : config;
}
