/** Checkpoints of one job while it is unfinished: the newest, and the one before it until the newest has proved good. */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../checkpoints/safetensors.ts';
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
      return header && { ...header, tensors: await readSafetensors(pathOf(directory)!) };
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

/** Of the newest checkpoint, without its tensors; undefined where there is none. */
export async function readCheckpointHeader(
  directory: string,
): Promise<Omit<Checkpoint, 'tensors'> | undefined> {
  const path = pathOf(directory);
  if (path === undefined) return undefined;
  const { metadata } = await readSafetensorsHeader(path);
  return JSON.parse(metadata.ftc ?? '{}') as { step: number; state: Record<string, number>; first: Metrics };
}
