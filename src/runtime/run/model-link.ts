/**
 * An opened model's artifact: which model it is. Nothing of it is copied; where it lies is kept beside the artifacts, so that
 * a model may be moved and what was made from it stays what it is.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { writeFileAtomically } from '../store/atomic-file.ts';
import { digestOfPlace, type ExistingModel, filesOfPlace } from './existing-model.ts';

const FILE = 'opened-model.json';

interface Place {
  readonly model: ExistingModel;
  /** Size and time of each file when the model was opened: as long as they are these, it is not hashed again. */
  readonly files: { readonly [path: string]: readonly [bytes: number, modified: number] };
}

/** Directory of the places, from that of an artifact in the store, or from the store's own. */
const placesOf = (store: string): string => join(store, 'opened');
const storeOf = (artifact: string): string => join(artifact, '..', '..', '..');

/** `artifact`: directory that is going to be one. */
export async function writeModelLink(artifact: string, model: ExistingModel, store: string): Promise<void> {
  const digest = await digestOfPlace(model);
  const place: Place = { model, files: await stampsOf(model) };
  for (const directory of [artifact, placesOf(store)]) await mkdir(directory, { recursive: true });
  await writeFileAtomically(join(artifact, FILE), `${JSON.stringify({ digest })}\n`);
  await writeFileAtomically(join(placesOf(store), `${digest}.json`), `${JSON.stringify(place, null, 2)}\n`);
}

/**
 * Undefined where the artifact holds a model itself.
 * Errors: CheckpointError where the model is not there any more, or is another one now.
 */
export async function readModelLink(artifact: string): Promise<ExistingModel | undefined> {
  const found = await readPlace(artifact);
  if (found === undefined) return undefined;
  const { digest, place } = found;
  if (place === undefined || !existsSync(place.model.directory))
    throw gone(place?.model.directory ?? artifact, 'is not there any more');
  const stamps = await stampsOf(place.model);
  if (JSON.stringify(stamps) !== JSON.stringify(place.files) && (await digestOfPlace(place.model)) !== digest)
    throw gone(place.model.directory, 'has changed since it was opened');
  return place.model;
}

/** Whether the model is where the artifact's place says. */
export async function linkStands(artifact: string, model: ExistingModel): Promise<boolean> {
  const place = (await readPlace(artifact))?.place;
  return place?.model.directory === model.directory && place.model.adapter === model.adapter;
}

async function readPlace(
  artifact: string,
): Promise<{ readonly digest: string; readonly place: Place | undefined } | undefined> {
  const path = join(artifact, FILE);
  if (!existsSync(path)) return undefined;
  const { digest } = JSON.parse(await readFile(path, 'utf8')) as { digest: string };
  const kept = join(placesOf(storeOf(artifact)), `${digest}.json`);
  const place = existsSync(kept) ? (JSON.parse(await readFile(kept, 'utf8')) as Place) : undefined;
  return { digest, place };
}

async function stampsOf(model: ExistingModel): Promise<Place['files']> {
  const stamps: { [path: string]: readonly [number, number] } = {};
  for (const path of await filesOfPlace(model)) {
    const { size, mtimeMs } = await stat(path);
    stamps[path] = [size, mtimeMs];
  }
  return stamps;
}

const gone = (directory: string, why: string): CheckpointError =>
  new CheckpointError(directory, `the model that this stands on ${why}`, undefined, [
    'put it back, or open it where it is now: a pipeline with `local("…")` finds it again by what it holds',
  ]);
