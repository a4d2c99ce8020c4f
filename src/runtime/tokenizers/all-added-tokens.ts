/** The added tokens of a tokenizer: those of tokenizer.json, and those that only tokenizer_config.json names. */
import { FILE, unusable } from './component.ts';
import { type AddedToken, type TokenizerConfig, type TokenizerJson, textOfName } from './tokenizer-files.ts';
import { checkedId, MAX_UNITS } from './vocabulary.ts';

const PATH = 'added_tokens';
const NAMED = [
  'bos_token',
  'eos_token',
  'unk_token',
  'pad_token',
  'sep_token',
  'cls_token',
  'mask_token',
] as const;

/**
 * As transformers adds them: `added_tokens_decoder` and tokens with a role (`eos_token`, …) are added tokens too, where
 * tokenizer.json has them in its vocabulary only.
 * @throws TokenizerError for ids that are none, or that two tokens share
 */
export function allAddedTokens(
  { added_tokens: listed = [] }: TokenizerJson,
  config: TokenizerConfig,
  vocabulary: ReadonlyMap<string, number>,
): AddedToken[] {
  if (!Array.isArray(listed)) throw unusable(PATH, 'is no list');
  const tokens = listed.map((token: unknown, i) => checked(token, `${PATH}[${i}]`));
  const known = new Set(tokens.map(({ content }) => content));
  for (const token of [...decoded(config), ...roles(config, vocabulary)]) {
    if (known.has(token.content)) continue;
    known.add(token.content);
    tokens.push(token);
  }
  requireDistinct(tokens, vocabulary);
  const units = tokens.reduce((n, { content }) => n + content.length, 0);
  if (units > MAX_UNITS) throw unusable(PATH, `has ${units} characters, more than ${MAX_UNITS}`);
  return tokens;
}

function checked(value: unknown, path: string): AddedToken {
  const token = value as AddedToken | null;
  if (typeof token !== 'object' || token === null || typeof token.content !== 'string')
    throw unusable(path, 'is no token with its content');
  return { ...token, id: checkedId(token.id, token.content, path) };
}

function decoded({ added_tokens_decoder: listed }: TokenizerConfig): AddedToken[] {
  if (typeof listed !== 'object' || listed === null) return [];
  return Object.entries(listed as Record<string, object>).map(([id, token]) =>
    checked({ ...token, id: Number(id) }, `added_tokens_decoder.${id}`),
  );
}

function roles(config: TokenizerConfig, vocabulary: ReadonlyMap<string, number>): AddedToken[] {
  return NAMED.flatMap((role) => {
    const content = textOfName(config[role] as TokenizerConfig['eos_token']);
    const id = content === undefined ? undefined : vocabulary.get(content);
    return content === undefined || id === undefined
      ? []
      : [{ id, content, special: true, normalized: false }];
  });
}

function requireDistinct(tokens: readonly AddedToken[], vocabulary: ReadonlyMap<string, number>): void {
  const byId = new Map<number, string>([...vocabulary].map(([token, id]) => [id, token]));
  for (const { id, content } of tokens) {
    const other = byId.get(id);
    const elsewhere = vocabulary.get(content);
    if (other !== undefined && other !== content)
      throw unusable(
        PATH,
        `gives ${JSON.stringify(content)} the id ${id}, which is that of ${JSON.stringify(other)}`,
      );
    if (elsewhere !== undefined && elsewhere !== id)
      throw unusable(
        PATH,
        `gives ${JSON.stringify(content)} the id ${id}; the vocabulary of ${FILE} has it as ${elsewhere}`,
      );
    byId.set(id, content);
  }
}
