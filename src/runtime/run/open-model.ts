/** What a MODEL argument means: a directory with a config.json, a run (`latest` or its id), or `RUN/STAGE`, or a stage. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { type Policy, type Reward, StageError } from '../stages/stage.ts';
import { openStore, type RunInfo, type Store } from '../store/store.ts';
import { openAdapterOf } from './check-model.ts';
import { openAdapter, PolicyLoader, readModel, readPolicy } from './policies.ts';

type Slot = 'policy' | 'reward';

/** What a run made. */
interface Made {
  readonly store: Store;
  readonly hash: string;
  readonly slot: Slot;
}

/** Errors: StageError naming what there is; CheckpointError where the directory holds no model. */
export async function openModel(model: string, storeDirectory: string): Promise<Policy> {
  if (existsSync(join(model, 'config.json'))) return readPolicy(model);
  const { store, hash } = await findInRuns(model, storeDirectory, ['policy']);
  return new PolicyLoader((h) => store.artifact(h)).policy(hash);
}

/** The directory that a MODEL argument means, also that of a reward model. Errors: StageError naming what there is. */
export async function modelDirectory(model: string, storeDirectory: string): Promise<string> {
  if (isModelDirectory(model)) return model;
  const { store, hash } = await findInRuns(model, storeDirectory, ['policy', 'reward']);
  return store.artifact(hash);
}

function isModelDirectory(path: string): boolean {
  return ['config.json', 'adapter_config.json'].some((file) => existsSync(join(path, file)));
}

/**
 * The same where a reward model is as good: a directory of one, an adapter's directory, or a stage that made one and no
 * policy. `adapter`: the directory of an adapter in PEFT's layout, to be folded in.
 * Errors: StageError, CheckpointError as `openModel`; CheckpointError where the adapter is another base's.
 */
export async function openAnyModel(
  model: string,
  storeDirectory: string,
  adapter?: string,
): Promise<Policy | Reward> {
  const opened = await openWithoutAdapter(model, storeDirectory);
  if (adapter === undefined) return opened;
  return isModelDirectory(model)
    ? openAdapterOf(adapter, opened, { directory: model, name: model })
    : openAdapter(adapter, opened, model);
}

async function openWithoutAdapter(model: string, storeDirectory: string): Promise<Policy | Reward> {
  if (isModelDirectory(model)) return readModel(model);
  const { store, hash, slot } = await findInRuns(model, storeDirectory, ['policy', 'reward']);
  const loader = new PolicyLoader((h) => store.artifact(h));
  return slot === 'policy' ? loader.policy(hash) : loader.reward(hash);
}

/** The first of the slots that is filled. */
async function findInRuns(model: string, storeDirectory: string, slots: readonly Slot[]): Promise<Made> {
  const store = await openStore(storeDirectory, { write: false });
  const runs = await store.runs();
  const [name, stage] = model.split('/');
  const chosen = runs.filter((r) => name === 'latest' || r.id === name);
  for (const slot of slots) {
    const hash = chosen.length > 0 ? madeBy(chosen, stage, slot) : madeBy(runs, model, slot);
    if (hash !== undefined) return { store, hash, slot };
  }
  throw unknownModel(model, runs, storeDirectory, slots);
}

function unknownModel(
  model: string,
  runs: readonly RunInfo[],
  store: string,
  slots: readonly Slot[],
): StageError {
  if (existsSync(model))
    return new StageError('unknown-name', `\`${model}\` holds no model: it has no config.json`);
  if (runs.length === 0)
    return new StageError('unknown-name', `\`${model}\` is no model's directory, and ${store} has no run`, {
      help: ['make one with `ftc run FILE`, or name the store: `--store DIR`'],
    });
  const stages = [
    ...new Set(
      runs.flatMap((r) =>
        Object.keys(r.stages).filter((id) => slots.some((slot) => r.stages[id]!.artifacts[slot])),
      ),
    ),
  ];
  const ids = runs.map((r) => r.id);
  const made = slots.join(' or a ');
  const [name, stage] = model.split('/');
  const isRun = name === 'latest' || ids.includes(name!);
  const meant = isRun ? nearest(stage ?? '', stages) : nearest(model, ['latest', ...stages, ...ids]);
  return new StageError(
    'unknown-name',
    isRun
      ? `\`${name}\` has no stage \`${stage}\` with a ${made}`
      : `\`${model}\` is no model's directory, no run and no stage with a ${made}`,
    {
      notes: [
        `stages: ${stages.join(', ')}`,
        ...(isRun ? [] : [`runs: latest, ${ids.slice(0, 5).join(', ')}`]),
      ],
      help: meant === undefined ? [] : [`did you mean \`${isRun ? `${name}/` : ''}${meant}\`?`],
    },
  );
}

/** Newest first: what a stage made for a slot, or the last one that the run made. */
function madeBy(runs: readonly RunInfo[], stage: string | undefined, slot: Slot): string | undefined {
  for (const { stages } of runs) {
    const found =
      stage === undefined
        ? Object.values(stages).findLast(({ artifacts }) => artifacts[slot] !== undefined)?.artifacts[slot]
        : stages[stage]?.artifacts[slot];
    if (found !== undefined) return found;
  }
  return undefined;
}
