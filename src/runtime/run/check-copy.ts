/** Whether two tensors of a checkpoint that its config takes for one are one. */
import { CheckpointError, quoted } from '../checkpoints/checkpoint-error.ts';
import type { PlacedTensor } from '../checkpoints/checkpoint-tensors.ts';
import { readTensorNow } from '../checkpoints/tensor-bytes.ts';
import type { Shape } from '../programs/ops.ts';
import { sizeOf } from '../programs/program.ts';

/** Compared in each of the places that are looked at. */
const NUMBERS = 16_384;

/**
 * Compares shapes, and numbers at the start, in the middle and at the end.
 * @throws CheckpointError where they differ: transformers then uses both, whatever config.json says.
 */
export function checkCopy(head: PlacedTensor, embedding: PlacedTensor): void {
  const sameShape = String(head.shape) === String(embedding.shape);
  if (sameShape && places(head.shape).every((at) => sameAt(head, embedding, at))) return;
  const message = `holds the tensor ${quoted(head.name)} with other numbers than ${quoted(embedding.name)}, and config.json says that the two are one`;
  throw new CheckpointError(head.file, message, head.name, [
    'set "tie_word_embeddings" to false in config.json where the model was trained with both',
  ]);
}

function places(shape: Shape): number[] {
  const last = Math.max(0, sizeOf(shape) - NUMBERS);
  return [...new Set([0, Math.floor(last / 2), last])];
}

function sameAt(a: PlacedTensor, b: PlacedTensor, at: number): boolean {
  const [these, those] = [numbersFrom(a, at), numbersFrom(b, at)];
  return these.every((value, i) => Object.is(value, those[i]));
}

function numbersFrom(tensor: PlacedTensor, at: number): number[] {
  const count = sizeOf(tensor.shape);
  const width = tensor.byteLength / count;
  const length = Math.min(NUMBERS, count - at);
  const offset = tensor.offset + at * width;
  const part = { ...tensor, shape: [length], offset, byteLength: length * width };
  return Array.from(readTensorNow(tensor.file, part).data);
}
