/** Numbers that left the range: found before they are saved, and told with what is left of the stage. */
import { type CheckpointTensor, StageError } from '../stages/stage.ts';

/** `what` happened: `the loss of step 7 is NaN`. */
export function diverged(what: string): StageError {
  return new StageError('diverged', what, {
    option: 'lr',
    notes: ['training left the range of numbers'],
    help: ['lower `lr`, lengthen `warmup`, or lower `clip`: the stage then begins anew, from its first step'],
  });
}

/** Errors: StageError `diverged` where an element is not finite. */
export async function requireFinite(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  step: number,
): Promise<void> {
  for (const [name, tensor] of tensors) {
    if (tensor.dtype === 'u8') continue;
    for await (const values of 'data' in tensor ? [tensor.data] : floatsOf(tensor.chunks())) {
      for (let i = 0; i < values.length; i++) {
        if (!Number.isFinite(values[i])) throw diverged(`after step ${step} \`${name}\` holds ${values[i]}`);
      }
    }
  }
}

async function* floatsOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Float32Array> {
  for await (const { buffer, byteOffset, byteLength } of chunks)
    yield new Float32Array(buffer, byteOffset, byteLength / 4);
}

export const isDivergence = (error: unknown): error is StageError =>
  error instanceof StageError && error.kind === 'diverged';

/** The same, with what is true of the step whose checkpoint is kept. */
export function withKept(error: StageError, kept: number | undefined): StageError {
  if (kept === undefined) return error;
  const note = `the last good checkpoint, of step ${kept}, goes with these options: a run with the same ones continues there and computes the same numbers`;
  return new StageError(error.kind, error.message, {
    ...error.place,
    notes: [...(error.place.notes ?? []), note],
  });
}
