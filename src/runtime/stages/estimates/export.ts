/** What `export` would cost: a copy of the weights. */
import { sizeOf } from '../../programs/program.ts';
import { quantizedBytes } from '../../quantization/quantized-bytes.ts';
import { exportForm } from '../parts/export-form.ts';
import type { Estimate, EstimateContext, PlannedModel } from '../stage.ts';
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
    diskBytes: diskBytes(model, context.job.options),
    notes: [],
  };
}

/** Linear weights in codes where they are asked for, everything else in f32. */
function diskBytes({ family, config }: PlannedModel, options: EstimateContext['job']['options']): number {
  const { as, quantized } = exportForm(options);
  if (as === 'adapter') return 0;
  const linears = new Set(family.linears(config).map((linear) => linear.weight));
  return family
    .parameters(config)
    .reduce(
      (bytes, { name, shape }) =>
        bytes + (quantized && linears.has(name) ? quantizedBytes(shape, quantized) : 4 * sizeOf(shape)),
      0,
    );
}
