/** What `targets=` can name, and which weights of a model that means. */
import type { LinearLayer } from '../models/model.ts';
import { chosenBlocks } from './chosen-blocks.ts';
import { MethodError, type MethodTarget } from './method.ts';

export const TARGETS = ['q', 'k', 'v', 'o', 'gate', 'up', 'down', 'qkv', 'all', 'embed', 'head'] as const;
/** Targets by the names that modules have in checkpoints and in PEFT's settings, where one name means one target. */
export const MODULES: Readonly<Record<string, Target>> = {
  q_proj: 'q',
  k_proj: 'k',
  v_proj: 'v',
  o_proj: 'o',
  gate_proj: 'gate',
  up_proj: 'up',
  down_proj: 'down',
  c_attn: 'qkv',
  c_fc: 'up',
  'all-linear': 'all',
  embed_tokens: 'embed',
  wte: 'embed',
  lm_head: 'head',
};
export type Target = (typeof TARGETS)[number];

/** A weight, or some columns of one, that a target picks. */
export interface Picked {
  readonly target: Target;
  readonly rank: number;
  readonly columns: readonly [number, number];
}

export interface TargetedWeight {
  readonly weight: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly layout: LinearLayer['layout'];
  /**
   * How programs read it: in products with rows, as a table of rows that are looked up, or both ways (a tied embedding)
   * and in the chunks of the output layer.
   */
  readonly use: 'product' | 'lookup' | 'whole';
  readonly picked: readonly Picked[];
}

/** Higher: names fewer layers, and so decides where two targets pick the same weight. */
const precision = (target: Target): number => (target === 'all' ? 0 : target === 'qkv' ? 1 : 2);

const picks = (target: Target, layer: LinearLayer): boolean =>
  target === layer.target ||
  target === 'all' ||
  (target === 'qkv' && (layer.target === 'q' || layer.target === 'k' || layer.target === 'v'));

/**
 * The weights that `targets` pick in the model's order, of the chosen blocks. A fused weight is one matrix for `qkv` and
 * `all`, as PEFT treats it, and is adapted in the columns of `q`, `k`, `v` where these are named.
 * Errors: MethodError for a target that picks nothing, or two ranks for one weight.
 */
export function targetedWeights(
  model: MethodTarget,
  targets: readonly Target[],
  ranks: readonly number[],
  layers?: number,
): TargetedWeight[] {
  const there = TARGETS.filter((target) => isThere(model, target));
  for (const target of targets) {
    if (!there.includes(target)) throw unknownTarget(model, target, there);
  }
  const wanted = targets.map((target, i) => ({ target, rank: ranks[i]! }));
  const chosen = layers === undefined ? undefined : new Set(chosenBlocks(model.blocks, layers).flat());
  const linears = model.linears.filter((layer) => chosen?.has(layer.weight) ?? true);
  const inBlocks = [...new Set(linears.map((layer) => layer.weight))].flatMap((weight) => {
    const picked = inWeight(
      linears.filter((layer) => layer.weight === weight),
      wanted,
    );
    return picked === undefined ? [] : [picked];
  });
  const table = (target: 'embed' | 'head') => {
    const found = wanted.find((one) => one.target === target);
    return found === undefined ? [] : [tableOf(model, found)];
  };
  return [...table('embed'), ...inBlocks, ...table('head')];
}

function inWeight(
  layers: readonly LinearLayer[],
  wanted: readonly { readonly target: Target; readonly rank: number }[],
): TargetedWeight | undefined {
  const { weight, inputs, layout, columns, outputs: width } = layers[0]!;
  const outputs = Math.max(...layers.map((layer) => layer.columns?.[1] ?? width));
  const byPrecision = wanted.toSorted((a, b) => precision(b.target) - precision(a.target));
  const whole = byPrecision.find(
    ({ target }) => (columns === undefined || precision(target) < 2) && picks(target, layers[0]!),
  );
  const apart =
    columns === undefined
      ? []
      : layers.flatMap((layer) =>
          wanted.flatMap(({ target, rank }) =>
            target === layer.target ? [{ target, rank, columns: layer.columns! }] : [],
          ),
        );
  if (whole !== undefined) {
    const other = apart.find(({ rank }) => rank !== whole.rank);
    if (other !== undefined) throw twoRanks(weight, whole, other);
  }
  const picked = whole === undefined ? apart : [{ ...whole, columns: [0, outputs] as const }];
  return picked.length === 0 ? undefined : { weight, inputs, outputs, layout, use: 'product', picked };
}

const partNamed = ({ parameters }: MethodTarget, part: 'embeddings' | 'head') =>
  parameters.find((spec) => spec.part === part);

const isThere = (model: MethodTarget, target: Target): boolean => {
  if (target === 'embed' || target === 'head')
    return partNamed(model, target === 'embed' ? 'embeddings' : 'head') !== undefined;
  return model.linears.some((layer) => picks(target, layer));
};

function tableOf(
  model: MethodTarget,
  { target, rank }: { readonly target: Target; readonly rank: number },
): TargetedWeight {
  const head = partNamed(model, 'head');
  const spec = target === 'head' ? head! : partNamed(model, 'embeddings')!;
  const [vocabulary, width] = spec.shape as readonly [number, number];
  const [inputs, outputs] = target === 'head' ? [width, vocabulary] : [vocabulary, width];
  const use = target === 'head' || head === undefined ? 'whole' : 'lookup';
  const layout = target === 'head' ? 'out,in' : 'in,out';
  const picked = [{ target, rank, columns: [0, outputs] as const }];
  return { weight: spec.name, inputs, outputs, layout, use, picked };
}

function unknownTarget(model: MethodTarget, target: Target, there: readonly Target[]): MethodError {
  if (target === 'head' && partNamed(model, 'embeddings') !== undefined) {
    return new MethodError(
      'targets',
      'the output layer of this model is its token embedding',
      ['write `embed`, which adapts both'],
      target,
    );
  }
  return new MethodError(
    'targets',
    `the model has no layer \`${target}\``,
    [`it has ${there.join(', ')}`],
    target,
  );
}

const twoRanks = (weight: string, whole: { target: Target; rank: number }, other: Picked): MethodError =>
  new MethodError(
    'ranks',
    `${weight} holds q, k and v as one matrix: \`${whole.target}\` gives it rank ${whole.rank}, \`${other.target}\` rank ${other.rank}`,
    [`name q, k and v apart, or leave \`${other.target}\` out`],
  );
