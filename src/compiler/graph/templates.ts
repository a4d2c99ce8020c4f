/** Which chat template each stage uses: its own, else the first that any stage of the pipeline names, else the built-in one. */
import type { Catalog } from '../catalog.ts';
import type { CheckedStage } from '../checked/check-stage.ts';
import type { FilledDefault } from './graph.ts';
import { OPEN } from './open-jobs.ts';

export interface ChosenTemplate {
  /** Absent where it comes with the model. */
  readonly text?: string;
  /** Absent where the stage names it itself. */
  readonly from?: FilledDefault;
}

export function chooseTemplates(
  stages: readonly (CheckedStage | undefined)[],
  catalog: Catalog,
): ReadonlyMap<CheckedStage, ChosenTemplate> {
  const first = stages.find((stage) => stage?.template !== undefined);
  const opens = stages.some(
    (stage) => stage !== undefined && (stage.opens.length > 0 || stage.job.kind === OPEN),
  );
  const chosen = new Map<CheckedStage, ChosenTemplate>();
  for (const stage of stages) {
    if (stage === undefined || !stage.takesTemplate) continue;
    const path = `${stage.job.id}.template`;
    if (stage.template !== undefined) chosen.set(stage, { text: stage.template.text });
    else if (first?.template !== undefined) {
      const { name = '(in place)', text } = first.template;
      chosen.set(stage, { text, from: { path, value: name, from: `the template of ${first.job.id}` } });
    } else if (opens)
      chosen.set(stage, {
        from: { path, value: "the model's own", from: 'the model, else the built-in one' },
      });
    else
      chosen.set(stage, {
        text: catalog.defaultTemplate,
        from: { path, value: 'built-in', from: 'built-in template' },
      });
  }
  return chosen;
}
