/** Checkpoints of one job while it is unfinished: the newest, and the one before it until the newest has proved good. */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { words } from '../../compiler/diagnostics/words.ts';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../checkpoints/safetensors.ts';
import { StageError } from '../stages/stage.ts';
import type { Metrics } from './events.ts';
import type { Checkpoint, Checkpoints } from './loop.ts';

const NEWEST = 'checkpoint.safetensors';
const BEFORE = 'before.safetensors';

/** The step and the numbers travel in the file's metadata, so a checkpoint is one atomic rename. */
export function checkpointDirectory(directory: string): Checkpoints {
  const newest = join(directory, NEWEST);
  const before = join(directory, BEFORE);
  return {
    async write({ step, state, first, tensors }: Checkpoint): Promise<void> {
      if (existsSync(newest)) await rename(newest, before);
      await writeSafetensors(newest, tensors, { ftc: JSON.stringify({ step, state, first }) });
    },
    async read(): Promise<Checkpoint | undefined> {
      const header = await readCheckpointHeader(directory);
      const path = pathOf(directory)!;
      return (
        header && { ...header, tensors: await readSafetensors(path).catch((error) => broken(path, error)) }
      );
    },
    accept: () => rm(before, { force: true }),
    async reject(): Promise<void> {
      if (existsSync(before)) await rename(before, newest);
      else await rm(newest, { force: true });
    },
    step: async () => (await readCheckpointHeader(directory))?.step,
  };
}

/** Where a crash came between the two renames of a write, the one before is the newest. */
const pathOf = (directory: string): string | undefined =>
  [NEWEST, BEFORE].map((name) => join(directory, name)).find((path) => existsSync(path));

function broken(path: string, error: unknown): never {
  const { message, help } = words['broken-checkpoint']({ path, why: (error as Error).message });
  throw new StageError('broken-checkpoint', message, { help: help ?? [] });
}

/** Of the newest checkpoint, without its tensors; undefined where there is none. Errors: StageError `broken-checkpoint`. */
export async function readCheckpointHeader(
  directory: string,
): Promise<Omit<Checkpoint, 'tensors'> | undefined> {
  const path = pathOf(directory);
  if (path === undefined) return undefined;
  try {
    const { metadata } = await readSafetensorsHeader(path);
    return JSON.parse(metadata.ftc!) as { step: number; state: Record<string, number>; first: Metrics };
  } catch (error) {
    return broken(path, error);
  }
}
