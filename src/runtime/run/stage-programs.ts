/** The tensor programs that a stage would run, for `ftc compile --emit program`. */
import { dirname } from 'node:path';
import type { ExecutionGraph } from '../../compiler/graph/graph.ts';
import { stages } from '../catalog.ts';
import type { Program } from '../programs/program.ts';
import type { PlannedModel } from '../stages/stage.ts';
import { estimateContext } from './estimate-context.ts';
import { wholeProgram } from './plan-costs.ts';

export interface StageProgramsRequest {
  readonly graph: ExecutionGraph;
  /** The pipeline file. */
  readonly file: string;
  readonly stage: string;
}

/** The program that trains first. Errors: those of reading data, StageError, MethodError. */
export async function stagePrograms({ graph, file, stage }: StageProgramsRequest): Promise<Program[]> {
  const root = dirname(file);
  const reached = new Map<string, PlannedModel | undefined>();
  for (const job of graph.jobs) {
    const from = (slot: string) => reached.get(job.inputs.find((i) => i.slot === slot)?.from ?? '');
    const estimate = await stages[job.kind]!.estimate(
      estimateContext(job, root, from('policy'), from('reward')),
    );
    reached.set(job.id, estimate.model ?? from('policy'));
    if (job.id !== stage) continue;
    const work = [...estimate.work].sort(
      (a, b) => Number(b.trainable !== undefined) - Number(a.trainable !== undefined),
    );
    return work.map(wholeProgram);
  }
  return [];
}
