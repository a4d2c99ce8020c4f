/** Which tensors an adapter consists of, their names and shapes. */
import type { LoraSettings } from './lora-options.ts';
import { type Picked, type TargetedWeight, targetedWeights } from './lora-targets.ts';
import { MethodError, type MethodTarget } from './method.ts';

/** Names of a pair of tensors: A (r, in) and B (columns, r). */
export interface Pair {
  readonly a: string;
  readonly b: string;
}

/** One pair A, B: on a whole weight, or on a slice of a fused weight's outputs. */
export interface AdapterPart extends Pair {
  readonly rank: number;
  readonly alpha: number;
  /** What B A is multiplied with: alpha / rank, with rslora alpha / √rank. */
  readonly scale: number;
  /** First and one-past-last output that it adds to. */
  readonly columns: readonly [number, number];
  /** DoRA: name of the trained lengths of these outputs' rows, (columns). */
  readonly magnitude?: string;
  /** PiSSA: names of the start values of A and B, which are frozen and subtracted. */
  readonly start?: Pair;
}

/** What is added to one weight of the model. */
export interface Adapter extends Omit<TargetedWeight, 'picked'> {
  /** `model.layers.0.self_attn.q_proj` */
  readonly module: string;
  readonly parts: readonly AdapterPart[];
}

/** Of the token embedding: PEFT names and starts its tensors in its own way. */
export const isEmbedding = ({ use, layout }: Adapter): boolean => use !== 'product' && layout === 'in,out';
/** The token embedding of a model whose output layer it also is. */
export const isTied = (adapter: Adapter): boolean => isEmbedding(adapter) && adapter.use === 'whole';

/**
 * The adapters that the settings ask for, in the model's order.
 * Errors: MethodError for a target that matches nothing, a rank above the matrix's, `dora` on a tied embedding.
 */
export function adaptersFor(model: MethodTarget, settings: LoraSettings): Adapter[] {
  const { targets, ranks, layers } = settings;
  return targetedWeights(model, targets, ranks, layers).map(({ picked, ...weight }) => {
    const module = weight.weight.replace(/\.weight$/, '');
    const parts = picked.map((one) => {
      checkRank(one, weight, settings);
      const whole = one.columns[0] === 0 && one.columns[1] === weight.outputs;
      return part(`base_model.model.${module}${whole ? '' : `.${one.target}`}`, one, weight, settings);
    });
    const adapter: Adapter = { ...weight, module, parts };
    if (settings.dora && isTied(adapter)) throw tiedMagnitude();
    return adapter;
  });
}

function part(
  prefix: string,
  { rank, columns }: Picked,
  weight: Omit<TargetedWeight, 'picked'>,
  settings: LoraSettings,
): AdapterPart {
  const { rslora, dora, init } = settings;
  const alpha = settings.alpha ?? 2 * rank;
  const embedding = weight.use !== 'product' && weight.layout === 'in,out';
  const names = embedding ? (['lora_embedding_A', 'lora_embedding_B'] as const) : PAIR;
  return {
    a: `${prefix}.${names[0]}`,
    b: `${prefix}.${names[1]}`,
    rank,
    columns,
    alpha,
    scale: alpha / (rslora ? Math.sqrt(rank) : rank),
    ...(dora && { magnitude: `${prefix}.lora_magnitude_vector` }),
    ...(init === 'pissa' &&
      !embedding && { start: { a: `${prefix}.pissa_A.weight`, b: `${prefix}.pissa_B.weight` } }),
  };
}

const PAIR = ['lora_A.weight', 'lora_B.weight'] as const;

const tiedMagnitude = () =>
  new MethodError(
    'dora',
    'the token embedding of this model is its output layer too: its rows have two uses',
    ['leave `embed` out of `targets`, or `dora` away'],
  );

function checkRank(
  { rank, columns }: Picked,
  { weight, inputs }: { readonly weight: string; readonly inputs: number },
  { rankOption }: LoraSettings,
): void {
  const outputs = columns[1] - columns[0];
  const largest = Math.min(inputs, outputs);
  if (rank <= largest) return;
  const message = `r=${rank} is larger than the matrix it adapts: ${weight} is ${outputs} × ${inputs}`;
  throw new MethodError(rankOption, message, [`use r=${largest} or less`]);
}
