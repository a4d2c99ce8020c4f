/** A GGUF file as a model of ftc's again: to compare what was written with what was meant. */
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { LazyWeights } from '../stages/lazy-weights.ts';
import type { Policy } from '../stages/stage.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizers/load-tokenizer.ts';
import { restore } from './arrangement.ts';
import { tokenizerFilesOf } from './gguf-tokenizer.ts';
import { plannedTensors } from './planned-tensors.ts';
import { readGguf } from './read-gguf.ts';

/**
 * The weights of a file that was written of this model, under Hugging Face's names and in their shapes.
 * Errors: CheckpointError for a tensor that is missing or has another shape.
 */
export function ggufWeights(
  path: string,
  { family, config }: Pick<Policy, 'family' | 'config'>,
): LazyWeights {
  const { tensors } = readGguf(path);
  const planned = plannedTensors({ family, config, weights: new Map() }, 'f32');
  const reads = new Map(
    planned.map(({ name, weight, shape, arrangement }) => {
      const there = tensors.get(name);
      if (there === undefined) throw new CheckpointError(path, `has no tensor "${name}"`, name);
      if (String(there.shape) !== String(shape))
        throw new CheckpointError(
          path,
          `the tensor "${name}" is [${there.shape}], and the model's is [${shape}]`,
          name,
        );
      return [weight!, () => restore(there.read(), arrangement)] as const;
    }),
  );
  return new LazyWeights({ names: [...reads.keys()], read: (name) => reads.get(name)!() });
}

/** The tokenizer that llama.cpp makes of the file. Errors: CheckpointError for a file without one that ftc knows. */
export function ggufVocabulary(path: string): Tokenizer {
  const { json, config } = tokenizerFilesOf(path, readGguf(path).metadata);
  return loadTokenizer(json, config);
}
