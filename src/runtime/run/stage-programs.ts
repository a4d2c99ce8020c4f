/** The tensor programs that a stage would run, for `ftc compile`: as an executable gets them, and pass by pass. */
import { dirname } from 'node:path';
import type { ExecutionGraph } from '../../compiler/graph/graph.ts';
import { stages } from '../catalog.ts';
import type { Program } from '../programs/program.ts';
import type { PlannedModel, PlannedWork } from '../stages/stage.ts';
import { estimateContext } from './estimate-context.ts';
import { fitProgram, type RecomputeOption, recomputeOption } from './fit-program.ts';
import { type PassRun, programPasses, runPasses } from './program-passes.ts';

export interface StageProgramsRequest {
  readonly graph: ExecutionGraph;
  /** The pipeline file. */
  readonly file: string;
  readonly stage: string;
}

interface StageWork {
  /** What trains comes first. */
  readonly work: readonly PlannedWork[];
  readonly recompute: RecomputeOption;
}

async function workOf({ graph, file, stage }: StageProgramsRequest): Promise<StageWork> {
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
    return { work, recompute: recomputeOption(job) };
  }
  return { work: [], recompute: 'none' };
}

/** The program that trains first. Errors: those of reading data, StageError, MethodError. */
export async function stagePrograms(request: StageProgramsRequest): Promise<Program[]> {
  const { work, recompute } = await workOf(request);
  return work.map((one) => fitProgram(one, recompute).program);
}

/** What every pass makes of the stage's first program; none where it has no program. Errors: as `stagePrograms`. */
export async function stagePasses(request: StageProgramsRequest): Promise<PassRun[]> {
  const { work, recompute: option } = await workOf(request);
  const [first] = work;
  if (first === undefined) return [];
  const { recompute } = fitProgram(first, option);
  const runs: PassRun[] = [];
  runPasses(
    programPasses(() => first.program, { ...first, recompute }),
    { verify: true, observe: (run) => runs.push(run) },
  );
  return runs;
}
