/** The program of next-token training: hidden states, the rows that carry loss, cross-entropy. */
import { causalBias } from '../../layers/mask.ts';
import { linearCrossEntropy } from '../../losses/linear-cross-entropy.ts';
import type { ModelConfig, ModelFamily } from '../../models/model.ts';
import { gatherRows, input, integers, program, reshape } from '../../programs/builder.ts';
import type { Node, Program } from '../../programs/program.ts';

/** (1, T): 0 … T − 1. */
function positionsFromZero(length: number): Node {
  return integers(
    Array.from({ length }, (_, i) => i),
    [1, length],
  );
}

export interface BodySpec {
  readonly family: ModelFamily;
  readonly config: ModelConfig;
  /** Sequences B and tokens T of the batch; rows are padded on the right. */
  readonly batch: number;
  readonly length: number;
}

/** Hidden states (B·T, D) of `ids` i32 (B, T), padded on the right. */
export function hiddenRows({ family, config, batch, length }: BodySpec): Node {
  const { hidden } = family.forward(config, {
    ids: input('ids', 'i32', [batch, length]),
    positions: positionsFromZero(length),
    bias: causalBias(length),
  });
  return reshape(hidden, [batch * length, hidden.shape[2]!]);
}

export interface LanguageModelSpec extends BodySpec {
  /** Positions that carry loss, N of the B·T: fed as `rows` i32 (N). All of them where absent. */
  readonly rows?: number;
  readonly headTrainable: boolean;
}

/**
 * Inputs: `ids` i32 (B, T); `rows` i32 (N); `labels` i32 (N); `weights` f32 (N), 1 / supervised tokens of the whole step.
 * Outputs, all Σ weight · …: `loss`, `correct` (the label is the likeliest token), `entropy`.
 */
export function languageModelProgram(spec: LanguageModelSpec): Program {
  const all = hiddenRows(spec);
  const count = spec.rows ?? spec.batch * spec.length;
  const hidden = spec.rows === undefined ? all : gatherRows(all, input('rows', 'i32', [count]));
  const { loss, correct, entropy } = linearCrossEntropy({
    hidden,
    head: spec.family.head(spec.config),
    labels: input('labels', 'i32', [count]),
    weights: input('weights', 'f32', [count]),
    headTrainable: spec.headTrainable,
    metrics: true,
  });
  return program('language-model', { loss, correct, entropy });
}
