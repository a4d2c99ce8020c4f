/** What `export` was asked for. */
import type { Job } from '../../../compiler/graph/graph.ts';
import { blockProblem, type QuantizationOptions } from '../../quantization/quantized-tensor.ts';
import { isGgufPath } from '../export-options.ts';
import { type ExportForm, StageError } from '../stage.ts';

type Options = Job['options'];
type Check = readonly [wrong: boolean, option: string, message: string, help: string];

/** Number formats of `quant` by layout. */
const QUANT = {
  hf: ['none', 'nf4', 'fp4'],
  gguf: ['none', 'f32', 'f16', 'q8_0', 'q4_0'],
  onnx: ['none'],
} as const;
const LAYOUT = { hf: 'the layout of Hugging Face', gguf: 'GGUF', onnx: 'the ONNX model' } as const;

/** Errors: StageError where options do not go together, naming the one to change. */
export function exportForm(options: Options): ExportForm {
  const { to, as, dtype, overwrite, license, language } = options;
  const format = options.format as ExportForm['format'];
  const what = options.what as ExportForm['what'];
  for (const [wrong, option, message, help] of [...checksOfLayout(options), ...checksOfNumbers(options)])
    if (wrong) throw new StageError('method-does-not-fit', message, { option, help: [help] });
  return {
    to: String(to),
    format,
    what,
    as: as === 'adapter' ? 'adapter' : 'merged',
    dtype: dtype as ExportForm['dtype'],
    ...(format === 'gguf' && options.quant !== 'none' && { gguf: options.quant as ExportForm['gguf'] }),
    ...(format === 'hf' && options.quant !== 'none' && { quantized: quantization(options) }),
    shardBytes: Number(options.shard),
    overwrite: overwrite === true,
    ...(license !== undefined && { license: String(license) }),
    ...(language !== undefined && { language: String(language) }),
  };
}

function checksOfLayout({ to, format, as, what }: Options): Check[] {
  const layout = LAYOUT[format as keyof typeof LAYOUT];
  return [
    [
      isGgufPath(String(to)) && format !== 'gguf',
      'to',
      `\`${String(to)}\` is the name of a GGUF file, and format=${String(format)} writes a directory`,
      'leave `format` out, or name a directory',
    ],
    [format !== 'hf' && as === 'adapter', 'as', `${layout} holds one whole model`, 'write `as=merged`'],
    [
      format !== 'hf' && what === 'reward',
      'what',
      `${layout} holds a model that generates, not a reward model`,
      'write `format=hf`',
    ],
  ];
}

function checksOfNumbers({ format, as, what, quant, dtype }: Options): Check[] {
  const layout = format as keyof typeof QUANT;
  const legal: readonly string[] = QUANT[layout];
  const other = Object.entries(QUANT).find(([, formats]) =>
    (formats as readonly string[]).includes(String(quant)),
  );
  const offered = legal.filter((name) => name !== 'none').map((name) => `\`quant=${name}\``);
  return [
    [
      !legal.includes(String(quant)),
      'quant',
      `${LAYOUT[layout]} has no ${String(quant)}`,
      [...offered, `\`format=${other?.[0] ?? 'hf'}\``].join(' or '),
    ],
    [
      as === 'adapter' && quant !== 'none',
      'quant',
      'an adapter is not quantized, its base is',
      'leave `quant` out, or write `as=merged`',
    ],
    [
      as === 'adapter' && dtype !== 'base' && dtype !== 'f32',
      'dtype',
      'an adapter stays in f32, as it was trained',
      'leave `dtype` out, or write `as=merged`',
    ],
    [
      what === 'reward' && quant !== 'none',
      'quant',
      'a reward model is written as it is, not in codes',
      'leave `quant` out',
    ],
    [
      layout === 'gguf' && quant === 'none' && dtype === 'bf16',
      'dtype',
      'ftc writes no bf16 into GGUF files',
      'write `dtype=f32`, which keeps every bit, or `dtype=f16`',
    ],
    [
      layout === 'onnx' && dtype !== 'base' && dtype !== 'f32',
      'dtype',
      `the ONNX model computes in f32, not in ${String(dtype)}`,
      'leave `dtype` out',
    ],
  ];
}

function quantization({ quant, block, double_quant }: Options): QuantizationOptions {
  const problem = blockProblem(Number(block));
  if (problem !== undefined) throw new StageError('method-does-not-fit', problem, { option: 'block' });
  return {
    format: quant as QuantizationOptions['format'],
    block: Number(block),
    doubleQuantization: double_quant === true,
  };
}
