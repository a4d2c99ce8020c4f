/** What training a model of a known config takes on a device with numbers of 16 bits; no weight is made. */
import type { AppliedMethod } from '../../src/runtime/methods/method.ts';
import type { ModelConfig, ModelFamily } from '../../src/runtime/models/model.ts';
import type { Optimizer } from '../../src/runtime/optimizers/optimizer.ts';
import type { StageMemory } from '../../src/runtime/run/plan-memory.ts';
import { finishProgram } from '../../src/runtime/run/program-passes.ts';
import { half, storedMemory } from '../../src/runtime/run/stored-memory.ts';
import { languageModelProgram } from '../../src/runtime/stages/parts/language-model-program.ts';
import { headIsTrained } from '../../src/runtime/stages/parts/training.ts';

export interface ModelMemoryRequest {
  readonly family: ModelFamily;
  readonly config: ModelConfig;
  readonly method: AppliedMethod;
  /** Absent: the model only computes its loss. */
  readonly optimizer?: Optimizer;
  /** Rows at once, and tokens of a row. */
  readonly batch: number;
  readonly length: number;
  readonly recompute?: 'none' | 'blocks';
}

export function modelMemory(request: ModelMemoryRequest): StageMemory {
  const { family, config, method, optimizer, batch, length, recompute = 'none' } = request;
  const { quantized, trainable } = method;
  const headTrainable = headIsTrained(family, config, method);
  const program = finishProgram(
    () => languageModelProgram({ family, config, batch, length, headTrainable }),
    { adapt: method, quantized, recompute, ...(optimizer && { trainable }) },
  );
  const shapes = new Map(
    [...family.parameters(config), ...method.added].map(({ name, shape }) => [name, shape]),
  );
  const trained = new Map(trainable.map((name) => [name, shapes.get(name)!]));
  const state = optimizer?.stateBytes(trained).memory ?? 0;
  return storedMemory({ optimizer: state }, [{ work: { trainable }, program }], half);
}
