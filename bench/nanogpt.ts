/** nanoGPT's CPU configuration on ftc's own trainer: GPT-2 of 4 layers, 4 heads, width 128, windows of 64 characters. */
import { onnx } from '../src/runtime/executables/onnx/onnx.ts';
import { full } from '../src/runtime/methods/full.ts';
import { gpt2 } from '../src/runtime/models/gpt2.ts';
import type { ModelConfig } from '../src/runtime/models/model.ts';
import { adamw } from '../src/runtime/optimizers/adamw.ts';
import type { Tensor } from '../src/runtime/programs/ops.ts';
import { createTrainer } from '../src/runtime/run/trainer.ts';
import { languageModelProgram } from '../src/runtime/stages/parts/language-model-program.ts';
import { initialize } from '../src/runtime/stages/parts/training.ts';
import type { Policy, Trainer } from '../src/runtime/stages/stage.ts';

export interface NanogptSizes {
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly batch: number;
  readonly tokens: number;
  readonly vocabulary: number;
  readonly threads: number;
  readonly seed: number;
}

export interface Nanogpt {
  readonly trainer: Trainer;
  readonly parameters: ReadonlyMap<string, Tensor>;
}

/** Every weight trained, AdamW (0.9, 0.99), decay 0.1 on matrices, gradients clipped to 1, exact gelu. */
export function nanogpt({
  layers,
  heads,
  width,
  batch,
  tokens,
  vocabulary,
  threads,
  seed,
}: NanogptSizes): Nanogpt {
  const config: ModelConfig = {
    ...gpt2.configure(
      { layers, heads, width, context: tokens },
      { vocabularySize: vocabulary, eos: 0, pad: 0 },
    ),
    activation_function: 'gelu',
  };
  const specs = gpt2.parameters(config);
  const parameters = new Map(specs.map((spec) => [spec.name, initialize(spec, seed)]));
  const method = full.apply(
    { config, parameters: specs, linears: gpt2.linears(config), blocks: gpt2.blocks(config) },
    {},
  );
  const trainer = createTrainer(
    {
      // The trainer reads weights and method; a tokenizer has no part in it.
      model: { policy: {} as Policy, method, trainable: parameters, frozen: new Map() },
      program: () =>
        languageModelProgram({ family: gpt2, config, batch, length: tokens, headTrainable: true }),
    },
    {
      optimizer: adamw({
        beta2: 0.99,
        weightDecay: 0.1,
        decays: (name) => parameters.get(name)!.shape.length >= 2,
      }),
      clip: 1,
      seed,
      load: (program) => onnx.load(program, { threads }),
    },
  );
  return { trainer, parameters };
}
