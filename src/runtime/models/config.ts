/** Reading a Hugging Face config.json, and the weights of one model as nodes. */
import type { Json } from '../../compiler/catalog.ts';
import { parameter } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import type { ModelConfig, ParameterSpec } from './model.ts';
import { ModelError } from './model-error.ts';

/** A number of the config; `fallback` where it is absent or null. Errors: Error naming the missing key. */
export function numberOf(config: ModelConfig, key: string, fallback?: number): number {
  const value = config[key] ?? fallback;
  if (typeof value !== 'number') {
    throw new Error(`config.json (model_type ${config.model_type}) has no number \`${key}\``);
  }
  return value;
}

/**
 * A setting that changes what a model computes must have a value that the family computes; absent and null are fine.
 * Errors: Error naming the setting.
 */
export function mustBe(config: ModelConfig, key: string, ...legal: readonly Json[]): void {
  const value = config[key] ?? null;
  if (value === null || legal.includes(value)) return;
  const known = legal.map((v) => JSON.stringify(v)).join(', ');
  throw new Error(
    `config.json has ${key}=${JSON.stringify(value)}, which is not supported (known: ${known})`,
  );
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
