/** What the training stages do alike: attach a method, count steps, drive the loop. */

import type { Executor } from '../../executables/executable.ts';
import { keepingCodes } from '../../methods/kept-codes.ts';
import type { AppliedMethod, BaseWeights } from '../../methods/method.ts';
import type { Initializer, ModelConfig, ModelFamily, ParameterSpec } from '../../models/model.ts';
import type { Tensor } from '../../programs/ops.ts';
import { sizeOf } from '../../programs/program.ts';
import { dequantize } from '../../quantization/dequantize.ts';
import { quantize } from '../../quantization/quantize.ts';
import { besideNames, quantizedParameters } from '../../quantization/quantized-parameters.ts';
import {
  type KeptWeight,
  kindOf,
  type QuantizationOptions,
  type QuantizedTensor,
  sameKind,
} from '../../quantization/quantized-tensor.ts';
import { random } from '../../random/random.ts';
import type { Metrics } from '../../run/events.ts';
import { LazyWeights } from '../lazy-weights.ts';
import type { Batch, Policy, StageContext, TrainedModel, Trainer } from '../stage.ts';

/** Start values of a tensor, its own random stream under the seed. */
export function initialize(spec: ParameterSpec, seed: number): Tensor {
  const data = new Float32Array(sizeOf(spec.shape));
  fill(data, spec.initializer, seed, spec.name);
  return { dtype: 'f32', shape: spec.shape, data };
}

function fill(data: Float32Array, initializer: Initializer, seed: number, name: string): void {
  if (initializer.kind === 'zeros' || initializer.kind === 'ones') {
    data.fill(initializer.kind === 'ones' ? 1 : 0);
    return;
  }
  const stream = random(seed, 'initialize', name);
  if ('std' in initializer) for (let i = 0; i < data.length; i++) data[i] = stream.normal() * initializer.std;
  else for (let i = 0; i < data.length; i++) data[i] = (2 * stream.uniform() - 1) * initializer.bound;
}

/** A policy under a method: trained tensors copied, so that the policy given stays what it was. `extra` are heads. */
export function trainedModel(
  policy: Policy,
  method: AppliedMethod,
  seed: number,
  extra: ReadonlyMap<string, Tensor> = new Map(),
): TrainedModel {
  const start = method.start?.(baseAsRead(policy, method));
  const added = new Map(
    method.added.map((spec) => [spec.name, start?.get(spec.name) ?? initialize(spec, seed)]),
  );
  const trainable = new Map<string, Tensor>();
  for (const name of method.trainable) {
    const value = added.get(name) ?? policy.weights.get(name);
    if (!value) throw new Error(`the method trains ${name}, which the model does not have`);
    trainable.set(name, { ...value, data: Float32Array.from(value.data) });
  }
  for (const [name, value] of extra) trainable.set(name, value);
  const made = new Map([...added].filter(([name]) => !trainable.has(name)));
  const asTheyAre: string[] = [];
  for (const name of policy.weights.keys()) {
    const options = method.quantized?.get(name);
    if (options !== undefined) for (const part of codesAsRead(policy, name, options)) made.set(...part);
    else if (!trainable.has(name)) asTheyAre.push(name);
  }
  const frozen = new LazyWeights({
    names: [...made.keys(), ...asTheyAre],
    read: (name, keep) => made.get(name) ?? (keep ? policy.weights.get(name)! : unkept(policy.weights, name)),
  });
  return { policy, method, trainable, frozen };
}

const unkept = (weights: Policy['weights'], name: string): Tensor =>
  'read' in weights ? weights.read(name) : weights.get(name)!;

/** A method on a policy: weights that are codes and adapters stay so where the codes are of the method's kind. */
export function methodBeside({ weights }: Policy, method: AppliedMethod): AppliedMethod {
  if (!('beside' in weights)) return method;
  return keepingCodes(method, (name) => {
    const found = weights.beside(name);
    if (found === undefined) return undefined;
    const beside = found.adapters.map(({ down, scale, turned }) => ({ rank: down.shape[0]!, scale, turned }));
    return { ...kindOf(found.codes), beside };
  });
}

/** The parts that programs read in place of a weight. */
function codesAsRead(policy: Policy, name: string, kept: KeptWeight): Map<string, Tensor> {
  const { weights } = policy;
  if (kept.beside === undefined || !('beside' in weights))
    return new Map(quantizedParameters(name, inCodes(policy, name, kept)));
  const { codes, adapters } = weights.beside(name)!;
  const beside = adapters.flatMap(({ down, up }, i) => {
    const names = besideNames(name, i);
    return [[names.down, down] as const, [names.up, up] as const];
  });
  return new Map<string, Tensor>([...quantizedParameters(name, codes), ...beside]);
}

function inCodes({ weights }: Policy, name: string, options: QuantizationOptions): QuantizedTensor {
  const stored = 'codes' in weights ? weights.codes(name) : undefined;
  if (stored !== undefined && sameKind(stored, options)) return stored;
  const { shape, data } = unkept(weights, name);
  return quantize({ shape, data: data as Float32Array }, options, name);
}

/** The base's weights as programs read them: the values of their codes where the method keeps codes. */
export function baseAsRead(policy: Policy, method: AppliedMethod): BaseWeights {
  const { weights } = policy;
  return {
    get(name) {
      const options = method.quantized?.get(name);
      if (options === undefined || options.beside !== undefined)
        return 'read' in weights && weights.has(name) ? weights.read(name) : weights.get(name);
      const codes = inCodes(policy, name, options);
      return { dtype: 'f32', shape: codes.shape, data: dequantize(codes) };
    },
  };
}

/** Every tensor that the method brought along, trained or not. */
export const addedTensors = ({ method, trainable, frozen }: TrainedModel): Map<string, Tensor> =>
  new Map(method.added.map(({ name }) => [name, (trainable.get(name) ?? frozen.get(name))!]));

/** One optimizer step of a supervised stage: gradients, update, the metrics every such stage reports. */
export async function supervisedStep(
  context: StageContext,
  trainer: Trainer,
  batches: readonly Batch[],
  step: number,
  steps: number,
): Promise<{ metrics: Metrics; sums: Map<string, number> }> {
  const learningRate = context.learningRate(step, steps);
  const { sums, gradients } = await trainer.accumulate(batches, step);
  const norm = await trainer.apply(gradients, learningRate);
  return { sums, metrics: { loss: sums.get('loss')!, learning_rate: learningRate, grad_norm: norm } };
}

/** Whether a gradient of the whole head is wanted: it is trained, tied to a trained embedding, or computed from adapters. */
export function headIsTrained(family: ModelFamily, config: ModelConfig, method: AppliedMethod): boolean {
  const head = family.head(config);
  if (head.op !== 'parameter') return false;
  const { name } = head.attributes;
  return method.trainable.includes(name) || method.rebuilt?.includes(name) === true;
}

/** Sums of the scalar outputs over batches, loading a program once a shape. */
export async function runBatches(
  batches: Iterable<Batch>,
  load: (key: string) => Promise<Executor>,
): Promise<Map<string, number>> {
  const loaded = new Map<string, Executor>();
  const sums = new Map<string, number>();
  for (const { key, feeds } of batches) {
    const executor = loaded.get(key) ?? (await load(key));
    loaded.set(key, executor);
    for (const [name, tensor] of await executor.run(feeds))
      sums.set(name, (sums.get(name) ?? 0) + tensor.data[0]!);
  }
  return sums;
}
