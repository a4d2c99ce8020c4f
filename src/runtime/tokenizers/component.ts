/** A part of tokenizer.json (`normalizer`, `pre_tokenizer`, …), read field by field. Errors: TokenizerError naming the field. */
import { TokenizerError } from './tokenizer-error.ts';

export interface Component {
  readonly type: string;
  /** Where it stands, for errors: `pre_tokenizer.Split`. */
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Parts within parts: a hostile file could nest them until the stack is full. */
const MAX_DEPTH = 16;

export const FILE = 'tokenizer.json';

export function componentOf(value: unknown, path: string): Component {
  const fields = value as Readonly<Record<string, unknown>>;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || typeof fields.type !== 'string') throw unusable(path, 'is no object with a "type"');
  if (path.split('.').length > MAX_DEPTH) throw unusable(path, 'is nested too deeply');
  return { type: fields.type, path: `${path}.${fields.type}`, fields };
}

export function unusable(path: string, problem: string, help: readonly string[] = []): TokenizerError {
  return new TokenizerError(FILE, `cannot be used: \`${path}\` ${problem}`, help);
}

/** Of a kind that ftc does not know: never guessed at. */
export const unknownKind = (component: Component): TokenizerError =>
  unusable(component.path, 'is of a kind that ftc does not run', [
    'use a model whose tokenizer is byte-level or SentencePiece-like BPE, Unigram or WordPiece',
  ]);

export function stringIn(component: Component, key: string, otherwise?: string): string {
  const value = component.fields[key] ?? otherwise;
  if (typeof value === 'string') return value;
  throw unusable(`${component.path}.${key}`, 'is no string');
}

export function flagIn(component: Component, key: string, otherwise: boolean): boolean {
  const value = component.fields[key] ?? otherwise;
  if (typeof value === 'boolean') return value;
  throw unusable(`${component.path}.${key}`, 'is neither true nor false');
}

/** A whole number of at least 0. */
export function countIn(component: Component, key: string, otherwise: number): number {
  const value = component.fields[key] ?? otherwise;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw unusable(`${component.path}.${key}`, 'is no whole number of at least 0');
}

export function choiceIn<T extends string>(
  component: Component,
  key: string,
  choices: readonly T[],
  otherwise: T,
): T {
  const value = stringIn(component, key, otherwise);
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw unusable(`${component.path}.${key}`, `is none of ${choices.join(', ')}`);
}

/** The parts of a `Sequence`. */
export function partsIn(component: Component, key: string): Component[] {
  const value = component.fields[key] ?? [];
  if (!Array.isArray(value)) throw unusable(`${component.path}.${key}`, 'is no list');
  if (value.length > 256) throw unusable(`${component.path}.${key}`, 'has more than 256 entries');
  return value.map((part) => componentOf(part, component.path));
}
