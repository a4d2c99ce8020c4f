/** Checkpoints of one job while it is unfinished: the newest one, replaced atomically. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../checkpoints/safetensors.ts';
import type { Metrics } from './events.ts';
import type { Checkpoint } from './loop.ts';

const FILE = 'checkpoint.safetensors';

/** The step and the numbers travel in the file's metadata, so a checkpoint is one atomic rename. */
export function checkpointDirectory(directory: string) {
  const path = join(directory, FILE);
  return {
    async write({ step, state, first, tensors }: Checkpoint): Promise<void> {
      await writeSafetensors(path, tensors, { ftc: JSON.stringify({ step, state, first }) });
    },
    async read(): Promise<Checkpoint | undefined> {
      const header = await readCheckpointHeader(directory);
      return header && { ...header, tensors: await readSafetensors(path) };
    },
  };
}

/** Of the newest checkpoint, without its tensors; undefined where there is none. */
export async function readCheckpointHeader(
  directory: string,
): Promise<Omit<Checkpoint, 'tensors'> | undefined> {
  const path = join(directory, FILE);
  if (!existsSync(path)) return undefined;
  const { metadata } = await readSafetensorsHeader(path);
  return JSON.parse(metadata.ftc ?? '{}') as { step: number; state: Record<string, number>; first: Metrics };
}
