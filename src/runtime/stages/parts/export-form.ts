/** What `export` was asked for. */
import type { Job } from '../../../compiler/graph/graph.ts';
import { blockProblem, type QuantizationOptions } from '../../quantization/quantized-tensor.ts';
import { type ExportForm, StageError } from '../stage.ts';

/** Errors: StageError where an adapter should be quantized, or blocks have a size that is none. */
export function exportForm({ as, quant, block, double_quant }: Job['options']): ExportForm {
  if (quant === 'none') return { as: as === 'adapter' ? 'adapter' : 'merged' };
  if (as === 'adapter')
    throw new StageError('method-does-not-fit', 'an adapter is not quantized, its base is', {
      option: 'quant',
      help: ['leave `quant` out, or write `as=merged`'],
    });
  const problem = blockProblem(Number(block));
  if (problem !== undefined) throw new StageError('method-does-not-fit', problem, { option: 'block' });
  return {
    as: 'merged',
    quantized: {
      format: quant as QuantizationOptions['format'],
      block: Number(block),
      doubleQuantization: double_quant === true,
    },
  };
}
