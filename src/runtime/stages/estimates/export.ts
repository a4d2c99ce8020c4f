/** What `export` would cost: a copy of the weights, and the model run on one conversation before and after. */
import { sizeOf } from '../../programs/program.ts';
import { quantizedBytes } from '../../quantization/quantized-bytes.ts';
import { exportForm } from '../parts/export-form.ts';
import { logitsProgram, PARITY_TOKENS } from '../parts/logits-program.ts';
import type { Estimate, EstimateContext, ExportForm, PlannedModel } from '../stage.ts';
import { modelOf } from './sizes.ts';

export async function estimateExport(context: EstimateContext): Promise<Estimate> {
  const form = exportForm(context.job.options);
  const model = modelOf(context);
  const { family, config } = model;
  const total = family.parameters(config).reduce((n, spec) => n + sizeOf(spec.shape), 0);
  const length = Math.min(family.shape(config).context, PARITY_TOKENS);
  return {
    model,
    parameters: { total, trainable: 0 },
    steps: 0,
    tokens: 0,
    work: [{ program: logitsProgram({ family, config, batch: 1, length }), runs: 2 }],
    diskBytes: form.as === 'adapter' ? 0 : diskBytes(model, form),
    notes: [],
  };
}

/** Bits of a number by format; of codes with their scales. */
const BITS = { f32: 32, f16: 16, bf16: 16, q8_0: 8.5, q4_0: 4.5 } as const;

/** Linear weights in codes where they are asked for, everything else in `dtype`. */
function diskBytes({ family, config }: PlannedModel, { quantized, gguf, dtype, format }: ExportForm): number {
  const linears = new Set(family.linears(config).map((linear) => linear.weight));
  const plain = format === 'onnx' ? 'f32' : dtype === 'base' ? dtypeOf(config) : dtype;
  const bits = BITS[gguf ?? plain];
  return family
    .parameters(config)
    .reduce(
      (bytes, { name, shape }) =>
        bytes +
        (quantized && linears.has(name)
          ? quantizedBytes(shape, quantized)
          : Math.ceil((bits / 8) * sizeOf(shape))),
      0,
    );
}

/** The number format that a config names; f32 where it names none that ftc writes. */
export function dtypeOf({ dtype, torch_dtype }: PlannedModel['config']): 'f32' | 'f16' | 'bf16' {
  const name = dtype ?? torch_dtype;
  return name === 'float16' ? 'f16' : name === 'bfloat16' ? 'bf16' : 'f32';
}
