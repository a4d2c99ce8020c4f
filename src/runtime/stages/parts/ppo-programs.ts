/** The programs of a PPO update: scoring a rollout, and the clipped objective. */
import { logProbabilities } from '../../losses/log-probabilities.ts';
import { ppoPolicyLoss } from '../../losses/ppo-policy-loss.ts';
import { ppoValueLoss } from '../../losses/ppo-value-loss.ts';
import {
  add,
  gatherRows,
  input,
  matmul,
  mul,
  parameter,
  program,
  reshape,
  sum,
} from '../../programs/builder.ts';
import type { Node, Program } from '../../programs/program.ts';
import { type BodySpec, hiddenRows } from './language-model-program.ts';

export const VALUE_WEIGHT = 'value.weight';
export const VALUE_BIAS = 'value.bias';

export interface RolloutSpec extends BodySpec {
  /** Response tokens R of each sequence; shorter responses are masked. */
  readonly response: number;
  readonly temperature: number;
}

interface Heads {
  readonly logProbability: Node;
  readonly entropy: Node;
  readonly value: Node;
}

/** Of each response token (B·R): its log-probability and entropy at the temperature, and the value before it. */
function heads(spec: RolloutSpec, withValue: boolean): Heads {
  const count = spec.batch * spec.response;
  const hidden = gatherRows(hiddenRows(spec), input('rows', 'i32', [count]));
  const { logProbability, entropy } = logProbabilities({
    hidden,
    head: spec.family.head(spec.config),
    labels: input('labels', 'i32', [count]),
    temperature: spec.temperature,
  });
  const { width } = spec.family.shape(spec.config);
  const value = withValue
    ? reshape(
        add(
          matmul(hidden, parameter(VALUE_WEIGHT, [1, width]), { transposeB: true }),
          parameter(VALUE_BIAS, [1]),
        ),
        [count],
      )
    : logProbability;
  return { logProbability, entropy, value };
}

/** Outputs `logProbability`, `entropy`, `value`, each (B·R). */
export function scoreProgram(spec: RolloutSpec): Program {
  const { logProbability, entropy, value } = heads(spec, true);
  return program('ppo-score', { logProbability, entropy, value });
}

/** The frozen policy: output `logProbability` (B·R). */
export function referenceProgram(spec: RolloutSpec): Program {
  const { logProbability } = heads(spec, false);
  return program('ppo-reference', { logProbability });
}

export interface PpoLossSpec extends RolloutSpec {
  readonly clipRatio: number;
  readonly clipValue: number;
  readonly valueWeight: number;
}

/**
 * Inputs (B·R): `rows`, `labels`, `old`, `advantages`, `returns`, `values`, `weights` (1 / response tokens of the
 * minibatch, 0 where masked). Outputs: `loss` = policy + valueWeight · value, and weighted means for the metrics.
 */
export function ppoProgram(spec: PpoLossSpec): Program {
  const count = spec.batch * spec.response;
  const column = (name: string) => input(name, 'f32', [count]);
  const weights = column('weights');
  const { logProbability, entropy, value } = heads(spec, true);
  const policy = ppoPolicyLoss({
    logProbability,
    oldLogProbability: column('old'),
    advantages: column('advantages'),
    weights,
    clip: spec.clipRatio,
  });
  const values = ppoValueLoss({
    values: value,
    oldValues: column('values'),
    returns: column('returns'),
    weights,
    clip: spec.clipValue,
  });
  return program('ppo', {
    loss: add(policy.loss, mul(values.loss, spec.valueWeight)),
    policyLoss: policy.loss,
    valueLoss: values.loss,
    approxKl: policy.approxKl,
    clipFraction: policy.clipFraction,
    ratio: policy.ratio,
    valueClipFraction: values.clipFraction,
    entropy: sum(mul(entropy, weights)),
  });
}
