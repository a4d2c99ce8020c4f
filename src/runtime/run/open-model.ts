/** What a MODEL argument means: a directory with a config.json, a run (`latest` or its id), or `RUN/STAGE`, or a stage. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { type Policy, StageError } from '../stages/stage.ts';
import { openStore, type RunInfo } from '../store/store.ts';
import { PolicyLoader, readPolicy } from './policies.ts';

/** Errors: StageError naming what there is; CheckpointError where the directory holds no model. */
export async function openModel(model: string, storeDirectory: string): Promise<Policy> {
  if (existsSync(join(model, 'config.json'))) return readPolicy(model);
  const store = await openStore(storeDirectory, { write: false });
  const runs = await store.runs();
  const [name, stage] = model.split('/');
  const chosen = runs.filter((r) => name === 'latest' || r.id === name);
  const hash = chosen.length > 0 ? policyOf(chosen, stage) : policyOf(runs, model);
  if (hash === undefined) throw unknownModel(model, runs, storeDirectory);
  return new PolicyLoader((h) => store.artifact(h)).policy(hash);
}

function unknownModel(model: string, runs: readonly RunInfo[], store: string): StageError {
  if (existsSync(model))
    return new StageError('unknown-name', `\`${model}\` holds no model: it has no config.json`);
  if (runs.length === 0)
    return new StageError('unknown-name', `\`${model}\` is no model's directory, and ${store} has no run`, {
      help: ['make one with `ftc run FILE`, or name the store: `--store DIR`'],
    });
  const stages = [
    ...new Set(runs.flatMap((r) => Object.keys(r.stages).filter((id) => r.stages[id]!.artifacts.policy))),
  ];
  const ids = runs.map((r) => r.id);
  const [name, stage] = model.split('/');
  const isRun = name === 'latest' || ids.includes(name!);
  const meant = isRun ? nearest(stage ?? '', stages) : nearest(model, ['latest', ...stages, ...ids]);
  return new StageError(
    'unknown-name',
    isRun
      ? `\`${name}\` has no stage \`${stage}\` with a policy`
      : `\`${model}\` is no model's directory, no run and no stage with a policy`,
    {
      notes: [
        `stages: ${stages.join(', ')}`,
        ...(isRun ? [] : [`runs: latest, ${ids.slice(0, 5).join(', ')}`]),
      ],
      help: meant === undefined ? [] : [`did you mean \`${isRun ? `${name}/` : ''}${meant}\`?`],
    },
  );
}

/** Newest first: the policy of a stage, or the last one that the run made. */
function policyOf(runs: readonly RunInfo[], stage: string | undefined): string | undefined {
  for (const { stages } of runs) {
    const found =
      stage === undefined
        ? Object.values(stages).findLast(({ artifacts }) => artifacts.policy !== undefined)?.artifacts.policy
        : stages[stage]?.artifacts.policy;
    if (found !== undefined) return found;
  }
  return undefined;
}
