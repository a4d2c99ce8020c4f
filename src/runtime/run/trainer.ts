/** Gradients and updates for a stage: one loaded program a batch shape, trained tensors fed and changed in place. */
import type { Executor } from '../executables/executable.ts';
import { releaseArrays } from '../executables/release.ts';
import { clipGradients } from '../optimizers/clip.ts';
import type { Optimizer, OptimizerState, StateArray } from '../optimizers/optimizer.ts';
import type { Tensor } from '../programs/ops.ts';
import { inputsOf, type Program, parametersOf, sizeOf } from '../programs/program.ts';
import { random } from '../random/random.ts';
import type { Batch, CheckpointTensor, EightBitTreatment, Trainer, TrainerOptions } from '../stages/stage.ts';
import { diverged } from './divergence.ts';
import type { EightBitLoader } from './eight-bit-loader.ts';
import { fitProgram, type RecomputeOption } from './fit-program.ts';

export interface TrainerSettings {
  readonly optimizer: Optimizer;
  /** Largest global norm; 0 clips nothing. */
  readonly clip: number;
  readonly seed: number;
  readonly recompute?: RecomputeOption;
  /** Where products with frozen weights are taken in eight bits. */
  readonly eightBit?: EightBitLoader | undefined;
  /** The program has been through the passes. */
  load(program: Program, frozen: ReadonlyMap<string, Tensor>): Promise<Executor>;
}

interface Loaded {
  readonly executor: Executor;
  readonly masks: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly probability: number;
  }[];
}

const GRADIENT = 'grad:';
/** Names in a checkpoint, beside those of the trained tensors. */
const OPTIMIZER = 'optimizer:';
const UPDATES = 'optimizer-step';

export function createTrainer(
  { model, program, dropout = true }: TrainerOptions,
  settings: TrainerSettings,
): Trainer {
  const training = new Map<string, Loaded>();
  const measuring = new Map<string, Loaded>();
  const flat = new Map([...model.trainable].map(([name, tensor]) => [name, tensor.data as Float32Array]));
  const state: OptimizerState = settings.optimizer.initialize(flat);
  /** Step of the stage: ppo updates several times in one. */
  let current = 0;

  async function loaded(cache: Map<string, Loaded>, key: string, withGradients: boolean): Promise<Loaded> {
    const found = cache.get(key);
    if (found) return found;
    const { method, trainable } = model;
    const work = {
      program: program(key),
      adapt: method,
      quantized: method.quantized,
      ...(withGradients && { dropout, trainable: [...trainable.keys()], besides: besides() }),
    };
    const finish = (eightBit?: EightBitTreatment) =>
      fitProgram({ ...work, eightBit }, settings.recompute).program;
    const added = method.added.map(({ name }) => name);
    const eightBit = { trained: new Set([...trainable.keys(), ...added]) };
    const whole = finish(settings.eightBit && eightBit);
    const probabilities = new Map(method.dropout.map((d) => [d.input, d.probability]));
    const made: Loaded = {
      executor: settings.eightBit
        ? settings.eightBit.load(finish, eightBit, model.frozen)
        : await settings.load(whole, frozenFor(whole)),
      masks: inputsOf(whole)
        .filter((node) => probabilities.has(node.attributes.name))
        .map((node) => ({
          name: node.attributes.name,
          shape: node.shape,
          probability: probabilities.get(node.attributes.name)!,
        })),
    };
    cache.set(key, made);
    return made;
  }

  function frozenFor(whole: Program): Map<string, Tensor> {
    const used = new Set(parametersOf(whole).map((p) => p.attributes.name));
    const names = [...model.frozen.keys()].filter((name) => used.has(name));
    return new Map(names.map((name) => [name, model.frozen.get(name)!]));
  }

  /** Bytes of gradients and of the optimizer's state. */
  function besides(): number {
    const shapes = new Map([...model.trainable].map(([name, { shape }]) => [name, shape]));
    const gradients = [...flat.values()].reduce((n, { byteLength }) => n + byteLength, 0);
    return gradients + settings.optimizer.stateBytes(shapes).memory;
  }

  async function run({ executor, masks }: Loaded, { feeds }: Batch, step = 0, micro = 0) {
    const fed = new Map<string, Tensor>([...feeds, ...model.trainable]);
    for (const { name, shape, probability } of masks) {
      const stream = random(settings.seed, 'dropout', name, step, micro);
      const kept = 1 / (1 - probability);
      const data = Float32Array.from({ length: sizeOf(shape) }, () =>
        stream.uniform() < probability ? 0 : kept,
      );
      fed.set(name, { dtype: 'f32', shape, data });
    }
    return executor.run(fed);
  }

  return {
    async accumulate(batches, step) {
      current = step;
      const sums = new Map<string, number>();
      const gradients = new Map<string, Float32Array>();
      for (const [micro, batch] of batches.entries()) {
        const one = await loaded(training, batch.key, true);
        const outputs = await run(one, batch, step, micro);
        const spent: Float32Array[] = [];
        for (const [name, tensor] of outputs) {
          if (!name.startsWith(GRADIENT)) addOutput(sums, name, tensor);
          else
            spent.push(...addGradient(gradients, name.slice(GRADIENT.length), tensor.data as Float32Array));
        }
        if (spent.length > 0) releaseArrays(spent);
      }
      const loss = sums.get('loss')!;
      if (!Number.isFinite(loss)) throw diverged(`the loss of step ${step + 1} is ${loss}`);
      return { sums, gradients };
    },

    async apply(gradients, learningRate) {
      const norm = clipGradients(gradients, settings.clip);
      if (!Number.isFinite(norm)) throw diverged(`the gradients of step ${current + 1} have norm ${norm}`);
      await settings.optimizer.update(flat, gradients, state, learningRate);
      releaseArrays(gradients.values());
      return norm;
    },

    async evaluate(batches) {
      const sums = new Map<string, number>();
      for await (const batch of batches) {
        const one = await loaded(measuring, batch.key, false);
        const outputs = await run(one, batch);
        for (const [name, tensor] of outputs) addOutput(sums, name, tensor);
      }
      return sums;
    },

    get updates() {
      return state.step;
    },

    checkpoint() {
      const tensors = new Map<string, CheckpointTensor>(model.trainable);
      for (const [name, array] of state.moments) tensors.set(`${OPTIMIZER}${name}`, saved(array));
      tensors.set(UPDATES, { dtype: 'i32', shape: [1], data: Int32Array.of(state.step) });
      for (const [name, tensor] of settings.eightBit?.checkpoint() ?? []) tensors.set(name, tensor);
      return tensors;
    },

    async restore(read) {
      for (const [name, data] of flat) data.set((await read(name)).data);
      for (const [name, array] of state.moments) await array.set((await read(`${OPTIMIZER}${name}`)).data);
      state.step = (await read(UPDATES)).data[0]!;
      await settings.eightBit?.restore(read);
    },

    async dispose() {
      for (const { executor } of [...training.values(), ...measuring.values()]) await executor.dispose();
      await state.close?.();
    },
  };
}

function saved(array: StateArray): CheckpointTensor {
  const shape = [array.length];
  if (array instanceof Float32Array) return { dtype: 'f32', shape, data: array };
  if (array instanceof Uint8Array) return { dtype: 'u8', shape, data: array };
  return { dtype: array.dtype, shape, chunks: () => array.chunks() };
}

/** Scalars add up over micro-batches; of longer outputs the smallest and largest element are kept. */
function addOutput(sums: Map<string, number>, name: string, { shape, data }: Tensor): void {
  if (sizeOf(shape) === 1) {
    sums.set(name, (sums.get(name) ?? 0) + data[0]!);
    return;
  }
  for (const value of data) {
    sums.set(`min:${name}`, Math.min(sums.get(`min:${name}`) ?? Number.POSITIVE_INFINITY, value));
    sums.set(`max:${name}`, Math.max(sums.get(`max:${name}`) ?? Number.NEGATIVE_INFINITY, value));
  }
}

/** Returns the array where it was added to an earlier one and is not needed any more. */
function addGradient(
  gradients: Map<string, Float32Array>,
  name: string,
  data: Float32Array,
): readonly Float32Array[] {
  const sum = gradients.get(name);
  if (!sum) {
    gradients.set(name, data);
    return [];
  }
  for (let i = 0; i < data.length; i++) sum[i]! += data[i]!;
  return [data];
}
