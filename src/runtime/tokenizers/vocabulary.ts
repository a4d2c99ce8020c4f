import { type Component, unusable } from './component.ts';

/** The largest published vocabularies have a quarter of a million tokens. */
const MAX_TOKENS = 2 ** 22;
/** Of all tokens together, in UTF-16 units: what a trie of them may take. */
export const MAX_UNITS = 2 ** 22;

/** Tokens by id and ids by token; for Unigram their scores too. */
export interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>;
  readonly scores: readonly number[];
}

/** The `vocab` of a model: an object of ids, or a list of tokens with scores. @throws TokenizerError */
export function readVocabulary(component: Component): Vocabulary {
  const { vocab } = component.fields;
  const path = `${component.path}.vocab`;
  if (typeof vocab !== 'object' || vocab === null) throw unusable(path, 'is neither an object nor a list');
  if (Array.isArray(vocab) !== (component.type === 'Unigram'))
    throw unusable(path, component.type === 'Unigram' ? 'is no list' : 'is no object');
  return Array.isArray(vocab) ? scored(vocab, path) : numbered(vocab as Record<string, unknown>, path);
}

/** @throws TokenizerError where it is no id */
export function checkedId(id: unknown, token: string, path: string): number {
  const named = () => `gives ${JSON.stringify(token).slice(0, 80)} the id ${String(id).slice(0, 40)}`;
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0)
    throw unusable(path, `${named()}, which is no whole number of at least 0`);
  if (id >= MAX_TOKENS) throw unusable(path, `${named()}; ids up to ${MAX_TOKENS - 1} are possible`);
  return id;
}

function numbered(vocab: Record<string, unknown>, path: string): Vocabulary {
  const entries = Object.entries(vocab);
  requireSize(entries.length, path);
  const ids = new Map<string, number>();
  const taken = new Map<number, string>();
  let units = 0;
  for (const [token, given] of entries) {
    const id = checkedId(given, token, path);
    const other = taken.get(id);
    if (other !== undefined)
      throw unusable(
        path,
        `gives the id ${id} to both ${JSON.stringify(other)} and ${JSON.stringify(token)}`,
      );
    units += token.length;
    taken.set(id, token);
    ids.set(token, id);
  }
  requireUnits(units, path);
  return { ids, scores: [] };
}

function scored(vocab: readonly unknown[], path: string): Vocabulary {
  requireSize(vocab.length, path);
  const ids = new Map<string, number>();
  let units = 0;
  const scores = vocab.map((entry, id) => {
    const [token, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof token !== 'string' || typeof score !== 'number')
      throw unusable(`${path}[${id}]`, 'is no token with its score');
    // As in the Rust library, a token listed twice has its last id.
    ids.set(token, id);
    units += token.length;
    return score;
  });
  requireUnits(units, path);
  return { ids, scores };
}

function requireSize(tokens: number, path: string): void {
  if (tokens > MAX_TOKENS) throw unusable(path, `has ${tokens} tokens, more than ${MAX_TOKENS}`);
}

function requireUnits(units: number, path: string): void {
  if (units > MAX_UNITS) throw unusable(path, `has ${units} characters, more than ${MAX_UNITS}`);
}
