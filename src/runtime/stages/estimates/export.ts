/** What `export` would cost: a copy of the weights. */
import { sizeOf } from '../../programs/program.ts';
import type { Estimate, EstimateContext } from '../stage.ts';
import { modelOf } from './sizes.ts';

export async function estimateExport(context: EstimateContext): Promise<Estimate> {
  const model = modelOf(context);
  const total = model.family.parameters(model.config).reduce((n, spec) => n + sizeOf(spec.shape), 0);
  return {
    model,
    parameters: { total, trainable: 0 },
    steps: 0,
    tokens: 0,
    work: [],
    diskBytes: context.job.options.as === 'adapter' ? 0 : total * 4,
    notes: [],
  };
}
