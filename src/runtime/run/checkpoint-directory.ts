/** Checkpoints of one job while it is unfinished: the newest, and the one before it until the newest has proved good. */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { words } from '../../compiler/diagnostics/words.ts';
import { openSafetensors, readSafetensorsHeader, writeSafetensors } from '../checkpoints/safetensors.ts';
import { StageError } from '../stages/stage.ts';
import type { Checkpoint, CheckpointNumbers, Checkpoints, SavedCheckpoint } from './loop.ts';

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
    async read(): Promise<SavedCheckpoint | undefined> {
      const numbers = await readCheckpointHeader(directory);
      if (numbers === undefined) return undefined;
      const path = pathOf(directory)!;
      const failed = (error: unknown) => broken(path, error);
      const file = await openSafetensors(path).catch(failed);
      return { ...numbers, tensor: async (name) => file.read(name).catch(failed), close: () => file.close() };
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
export async function readCheckpointHeader(directory: string): Promise<CheckpointNumbers | undefined> {
  const path = pathOf(directory);
  if (path === undefined) return undefined;
  try {
    const { metadata } = await readSafetensorsHeader(path);
    return JSON.parse(metadata.ftc!) as CheckpointNumbers;
  } catch (error) {
    return broken(path, error);
  }
}
