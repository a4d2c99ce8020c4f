/** A GGUF file as a model of ftc's again: to compare what was written with what was meant. */
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import type { Tensor } from '../programs/ops.ts';
import { LazyWeights } from '../stages/lazy-weights.ts';
import type { Policy } from '../stages/stage.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizers/load-tokenizer.ts';
import { restore } from './arrangement.ts';
import { tokenizerFilesOf } from './gguf-tokenizer.ts';
import { byteLengthOf, type NumberTypeName, numberTypes } from './number-types.ts';
import { type PlannedTensor, plannedTensors } from './planned-tensors.ts';
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

/** The weights as a file of this number type holds them, made without one. */
export function ggufRounded(
  policy: Pick<Policy, 'family' | 'config' | 'weights'>,
  type: NumberTypeName,
): LazyWeights {
  const reads = new Map(
    plannedTensors(policy, type).map((tensor) => [tensor.weight!, () => rounded(tensor)] as const),
  );
  return new LazyWeights({ names: [...reads.keys()], read: (name) => reads.get(name)!() });
}

function rounded({ read, type, arrangement }: PlannedTensor): Tensor {
  const arranged = read();
  const numberType = numberTypes[type];
  const numbers = arranged.data as Float32Array;
  const bytes = new DataView(new ArrayBuffer(byteLengthOf(numberType, numbers.length)));
  const data = new Float32Array(numbers.length);
  numberType.encode(numbers, bytes);
  numberType.decode(bytes, data);
  return restore({ ...arranged, data }, arrangement);
}

/** The tokenizer that llama.cpp makes of the file. Errors: CheckpointError for a file without one that ftc knows. */
export function ggufVocabulary(path: string): Tokenizer {
  const { json, config } = tokenizerFilesOf(path, readGguf(path).metadata);
  return loadTokenizer(json, config);
}
