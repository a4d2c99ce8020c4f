/** Which weights get an adapter, and of what shape. */
import type { Json } from '../../compiler/catalog.ts';
import type { LinearLayer, ParameterSpec } from '../models/model.ts';
import { MethodError } from './method.ts';

export const TARGETS = ['q', 'k', 'v', 'o', 'gate', 'up', 'down', 'qkv', 'all'] as const;

/** One pair A, B: on a whole weight, or on a slice of a fused weight's outputs. */
export interface AdapterPart {
  /** Tensor names without `.weight`: (r, in) and (out, r). */
  readonly a: string;
  readonly b: string;
  /** First and one-past-last output that it adds to. */
  readonly columns: readonly [number, number];
}

/** What is added to one weight of the model. */
export interface Adapter {
  /** `model.layers.0.self_attn.q_proj` */
  readonly module: string;
  readonly weight: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly layout: LinearLayer['layout'];
  readonly rank: number;
  readonly parts: readonly AdapterPart[];
}

function wanted(layer: LinearLayer, target: string): 'apart' | 'whole' | undefined {
  if (target === layer.target) return 'apart';
  if (target === 'all') return 'whole';
  return target === 'qkv' && (layer.target === 'q' || layer.target === 'k' || layer.target === 'v')
    ? 'whole'
    : undefined;
}

/**
 * Adapters of rank `rank` for the targets, in the model's order. `qkv` and `all` treat a fused weight as one matrix,
 * as PEFT does; `q`, `k`, `v` adapt their columns of it.
 * Errors: MethodError for a target that matches nothing, a weight targeted twice, or a rank above the matrix's.
 */
export function adaptersFor(
  linears: readonly LinearLayer[],
  targets: readonly Json[],
  rank: number,
): Adapter[] {
  for (const target of targets) {
    if (!linears.some((layer) => wanted(layer, String(target)) !== undefined))
      throw unknownTarget(target, linears);
  }
  const weights = new Set(linears.map((layer) => layer.weight));
  return [...weights].flatMap((weight) => {
    const layers = linears.filter((layer) => layer.weight === weight);
    const matches = targets.flatMap((target) =>
      layers.flatMap((layer) => {
        const how = wanted(layer, String(target));
        return how === undefined ? [] : [{ layer, how }];
      }),
    );
    if (matches.length === 0) return [];
    const module = weight.replace(/\.weight$/, '');
    const first = layers[0]!;
    const outputs = Math.max(...layers.map((layer) => layer.columns?.[1] ?? layer.outputs));
    const fused = first.columns !== undefined;
    const whole = !fused || matches.some((match) => match.how === 'whole');
    const chosen = new Set(matches.map((match) => match.layer));
    const parts: AdapterPart[] = whole
      ? [part(module, [0, outputs])]
      : layers.filter((l) => chosen.has(l)).map((l) => part(`${module}.${l.target}`, l.columns!));
    for (const { columns } of parts) checkRank(rank, weight, first.inputs, columns[1] - columns[0]);
    return [{ module, weight, inputs: first.inputs, outputs, layout: first.layout, rank, parts }];
  });
}

function part(module: string, columns: readonly [number, number]): AdapterPart {
  const prefix = `base_model.model.${module}`;
  return { a: `${prefix}.lora_A.weight`, b: `${prefix}.lora_B.weight`, columns };
}

/** A: Kaiming uniform with a = √5, which is ±1/√in; B: zeros, so that step 0 equals the base model. */
export function adapterParameters(adapters: readonly Adapter[]): ParameterSpec[] {
  return adapters.flatMap(({ parts, rank, inputs }) =>
    parts.flatMap(({ a, b, columns }): ParameterSpec[] => [
      { name: a, shape: [rank, inputs], initializer: { kind: 'uniform', bound: 1 / Math.sqrt(inputs) } },
      { name: b, shape: [columns[1] - columns[0], rank], initializer: { kind: 'zeros' } },
    ]),
  );
}

function unknownTarget(target: Json, linears: readonly LinearLayer[]): MethodError {
  const there = TARGETS.filter((name) => linears.some((layer) => wanted(layer, name) !== undefined));
  return new MethodError('targets', `the model has no layer \`${String(target)}\``, [
    `it has ${there.join(', ')}`,
  ]);
}

function checkRank(rank: number, weight: string, inputs: number, outputs: number): void {
  const largest = Math.min(inputs, outputs);
  if (rank > largest) {
    throw new MethodError(
      'r',
      `r=${rank} is larger than the matrix it adapts: ${weight} is ${outputs} × ${inputs}`,
      [`use r=${largest} or less`],
    );
  }
}
