/** An opened model's artifact: where the model lies. Nothing of it is copied. */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../store/atomic-file.ts';
import type { ExistingModel } from './existing-model.ts';

const FILE = 'opened-model.json';

export async function writeModelLink(artifact: string, model: ExistingModel): Promise<void> {
  await mkdir(artifact, { recursive: true });
  await writeFileAtomically(join(artifact, FILE), `${JSON.stringify(model, null, 2)}\n`);
}

/** Undefined where the artifact holds a model itself. */
export async function readModelLink(artifact: string): Promise<ExistingModel | undefined> {
  const path = join(artifact, FILE);
  return existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as ExistingModel) : undefined;
}

/** Whether the model is still where the artifact says. */
export async function linkStands(artifact: string): Promise<boolean> {
  const link = await readModelLink(artifact);
  return link === undefined || existsSync(link.directory);
}
