/** `sft(model=base)` → a job that opens the model, before the stage that starts from it. */
import type { Slot } from '../catalog.ts';
import type { CheckedStage } from '../checked/check-stage.ts';
import type { Job, ModelCall } from './graph.ts';

/** The stage that opens a model; it may be written as a step as well. */
export const OPEN = 'open';

export interface Opened {
  readonly slots: readonly Slot[];
  /** Absent where the model has a problem that has been reported. */
  readonly job?: Job;
  /** Not among the jobs yet. */
  readonly fresh: boolean;
}

/** Jobs that open the models which a stage names; one model that is named several times is opened once. */
export function openJobs(
  { opens, job: { span } }: CheckedStage,
  jobs: readonly Job[],
  labels: ReadonlyMap<string, unknown>,
): readonly Opened[] {
  return opens.map(({ slot, model, item, defaults, span: written }) => {
    const slots: readonly Slot[] = slot === 'policy' ? ['policy', 'tokenizer'] : [slot];
    if (model === undefined) return { slots, fresh: false };
    const same = jobs.find((job) => job.kind === OPEN && job.outputs.includes(slot) && sameModel(job, model));
    if (same !== undefined) return { slots, job: same, fresh: false };
    const job: Job = {
      id: freeName(item ?? OPEN, (id) => labels.has(id) || jobs.some((other) => other.id === id)),
      kind: OPEN,
      options: slot === 'policy' ? {} : { slot },
      model,
      data: {},
      outputs: slots,
      defaults,
      span,
      spans: { model: written },
      conditions: [],
      inputs: [],
    };
    return { slots, job, fresh: true };
  });
}

const sameModel = (job: Job, model: ModelCall): boolean =>
  JSON.stringify(job.model) === JSON.stringify(model);

function freeName(name: string, taken: (id: string) => boolean): string {
  let id = name;
  for (let n = 2; taken(id); n++) id = `${name}-${n}`;
  return id;
}
