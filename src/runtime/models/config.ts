/** Reading a Hugging Face config.json key by key, and the weights of one model as nodes. */
import type { Json } from '../../compiler/catalog.ts';
import { parameter } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import type { ModelConfig, ParameterSpec } from './model.ts';
import { ModelError } from './model-error.ts';

/** The largest value that a size may have: what no model reaches, and what a program of is never built by mistake. */
export const LARGEST = {
  blocks: 4096,
  heads: 65_536,
  headSize: 16_384,
  width: 262_144,
  inner: 4_194_304,
  vocabulary: 16_777_216,
  positions: 2 ** 31 - 1,
} as const;

/** A config's key with a value that a model cannot have. `must`: what it has to be, "a whole number from 1 to 4096". */
export function wrongValue(key: string, value: Json, must: string, help: readonly string[] = []): ModelError {
  return new ModelError(`config.json has ${key}=${shown(value)}; it must be ${must}`, help);
}

const shown = (value: Json): string => {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

interface Bounds {
  /** Of a config in which the key is absent or null. */
  readonly fallback?: number;
  readonly largest?: number;
}

/** A whole number ≥ 1 of the config. Errors: ModelError naming key, value and what it must be. */
export function countOf(config: ModelConfig, key: string, { fallback, largest = LARGEST.positions }: Bounds) {
  const value = config[key] ?? fallback;
  if (value === undefined) throw missing(config, key);
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= largest) return value;
  throw wrongValue(key, value, `a whole number from 1 to ${largest}`);
}

/** A number above 0, or from 0 on where `zero`. Errors: ModelError naming key and value. */
export function positiveOf(
  config: { readonly [key: string]: Json },
  key: string,
  { fallback, zero = false }: { readonly fallback?: number; readonly zero?: boolean } = {},
): number {
  const value = config[key] ?? fallback;
  if (value === undefined) throw missing(config, key);
  if (typeof value === 'number' && Number.isFinite(value) && (zero ? value >= 0 : value > 0)) return value;
  throw wrongValue(key, value, zero ? 'a number, 0 or more' : 'a number above 0');
}

/** Errors: ModelError naming key and value. */
export function flagOf(config: ModelConfig, key: string, fallback: boolean): boolean {
  const value = config[key] ?? fallback;
  if (typeof value === 'boolean') return value;
  throw wrongValue(key, value, 'true or false');
}

/** One of the names that a family knows. Errors: ModelError naming key, value and what is known. */
export function choiceOf<T extends string>(
  config: ModelConfig,
  key: string,
  legal: readonly T[],
  fallback: T,
): T {
  const value = config[key] ?? fallback;
  if (legal.includes(value as T)) return value as T;
  const known = legal.map((name) => JSON.stringify(name)).join(', ');
  throw unsupported(key, value, known);
}

/**
 * A setting that changes what a model computes must have a value that the family computes; absent and null are fine.
 * Errors: ModelError naming the setting, its value and what would do.
 */
export function mustBe(config: ModelConfig, key: string, ...legal: readonly Json[]): void {
  const value = config[key] ?? null;
  if (value === null || legal.includes(value)) return;
  const known = legal.map((v) => JSON.stringify(v)).join(', ');
  throw unsupported(key, value, known);
}

const unsupported = (key: string, value: Json, known: string) =>
  new ModelError(`config.json has ${key}=${shown(value)}, which is not supported (known: ${known})`, [
    'open a checkpoint without it: with another value the model would answer differently from what was trained',
  ]);

/** A config without a number that nothing else tells. */
export function missing(config: { readonly [key: string]: Json }, key: string): ModelError {
  const type = typeof config.model_type === 'string' ? ` (model_type ${config.model_type})` : '';
  return new ModelError(`config.json${type} has no number \`${key}\``, [
    'take config.json from where the weights come from',
  ]);
}

/** An option of a model call, or its default. Errors: Error naming the option. */
export function numberOption(
  options: Readonly<Record<string, Json>>,
  name: string,
  fallback: number,
): number {
  const value = options[name] ?? fallback;
  if (typeof value !== 'number') throw new Error(`\`${name}\` must be a number, is ${JSON.stringify(value)}`);
  return value;
}

/** Errors: ModelError where `divisor` does not divide `value`. */
export function mustDivide(divisor: number, divisorName: string, value: number, valueName: string): void {
  if (value % divisor === 0) return;
  const near = Math.max(1, Math.round(value / divisor)) * divisor;
  throw new ModelError(`${divisorName}=${divisor} does not divide ${valueName}=${value}`, [
    `use ${valueName}=${near}, or a ${divisorName} that divides ${value}`,
  ]);
}

const interned = new WeakMap<ModelConfig, ReadonlyMap<string, Node>>();

/**
 * The weights of one model by name, each one node however often it is asked for, so that a tied head and the embedding
 * are the same node. Errors: Error for a name the model does not have.
 */
export function weightsOf(
  config: ModelConfig,
  specs: (config: ModelConfig) => readonly ParameterSpec[],
): (name: string) => Node {
  let nodes = interned.get(config);
  if (nodes === undefined) {
    nodes = new Map(specs(config).map((spec) => [spec.name, parameter(spec.name, spec.shape)]));
    interned.set(config, nodes);
  }
  const known = nodes;
  return (name) => {
    const node = known.get(name);
    if (node === undefined) throw new Error(`the model has no weight \`${name}\``);
    return node;
  };
}

/** Whether the checkpoint is a classifier or reward model, which has a `score` in place of an output layer. */
export const isClassifier = ({ architectures }: ModelConfig): boolean =>
  Array.isArray(architectures) &&
  typeof architectures[0] === 'string' &&
  architectures[0].endsWith('ForSequenceClassification');

/** What is asked for the output layer of a model that has none. */
export const noOutputLayer = (config: ModelConfig): ModelError =>
  new ModelError(
    `config.json has architectures=${shown(config.architectures ?? null)}: a reward model has no output layer to make text with`,
    ['use it where a reward is wanted, or start from the language model it was made from'],
  );
