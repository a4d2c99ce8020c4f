/** What a MODEL argument means: a directory with a config.json, a run (`latest` or its id), or `RUN/STAGE`, or a stage. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import type { Policy } from '../stages/stage.ts';
import { openStore, type RunInfo } from '../store/store.ts';
import { PolicyLoader, readPolicy } from './policies.ts';

/** Errors: CheckpointError naming what there is. */
export async function openModel(model: string, storeDirectory: string): Promise<Policy> {
  if (existsSync(join(model, 'config.json'))) return readPolicy(model);
  const store = await openStore(storeDirectory, { write: false });
  const runs = await store.runs();
  const [name, stage] = model.split('/');
  const chosen = runs.filter((r) => name === 'latest' || r.id === name);
  const hash = chosen.length > 0 ? policyOf(chosen, stage) : policyOf(runs, model);
  if (hash === undefined) {
    const known = [...new Set(runs.flatMap((r) => Object.keys(r.stages)))];
    throw new CheckpointError(
      model,
      runs.length === 0
        ? `is no model directory, and ${storeDirectory} has no run`
        : `is no model directory, no run and no stage with a policy; stages: ${known.join(', ')}; runs: ${runs
            .map((r) => r.id)
            .slice(0, 5)
            .join(', ')}`,
    );
  }
  return new PolicyLoader((h) => store.artifact(h)).policy(hash);
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
