/** Options of `export`. */
import type { Json, OptionSchema } from '../../compiler/catalog.ts';
import { modelOption } from './parts/training-options.ts';

type Options = { readonly [name: string]: Json };

/** Beside a number format that has no blocks of scales. */
const withoutBlocks = ({ quant }: Options) =>
  quant === 'nf4' || quant === 'fp4'
    ? undefined
    : { beside: `quant=${String(quant)}`, note: 'only `quant=nf4` and `quant=fp4` have blocks with scales' };

/** A file whose name says so is GGUF. */
export const isGgufPath = (path: string): boolean => /\.gguf$/i.test(path);

export const exportOptions: { readonly [name: string]: OptionSchema } = {
  to: {
    description: 'directory to write, or a file that ends in .gguf, relative to the pipeline file',
    type: 'string',
    position: 0,
    path: 'write',
  },
  ...modelOption,
  format: {
    description:
      'layout of the files: hf for transformers and PEFT, gguf for llama.cpp, onnx for onnxruntime',
    type: 'string',
    enum: ['hf', 'gguf', 'onnx'],
    defaultNote: 'gguf where `to` ends in .gguf, else hf',
    computedDefault: ({ to }) => (isGgufPath(String(to)) ? 'gguf' : 'hf'),
  },
  what: {
    description: 'the policy, or the reward model that was trained beside it',
    type: 'string',
    enum: ['policy', 'reward'],
    default: 'policy',
  },
  as: {
    description: 'one whole model, or the last adapter alone',
    type: 'string',
    enum: ['merged', 'adapter'],
    default: 'merged',
  },
  quant: {
    description:
      'number format of the linear weights: none, nf4, fp4 with hf; none, f32, f16, q8_0, q4_0 with gguf',
    type: 'string',
    enum: ['none', 'nf4', 'fp4', 'f32', 'f16', 'q8_0', 'q4_0'],
    default: 'none',
  },
  dtype: {
    description:
      'number format of the weights that `quant` leaves alone; base: that of the checkpoint it started from',
    type: 'string',
    enum: ['base', 'f32', 'f16', 'bf16'],
    default: 'base',
    withoutEffect: ({ format, quant }, _, value) =>
      format === 'gguf' && quant !== 'none' && value !== 'base'
        ? { beside: `quant=${String(quant)}`, note: 'in a GGUF file `quant` says the number format' }
        : undefined,
  },
  block: {
    description: 'with `quant=nf4` or `fp4`: weights that share one scale, a power of two from 32 to 4096',
    type: 'integer',
    minimum: 32,
    maximum: 4096,
    powerOfTwo: true,
    unit: 'count',
    default: 64,
    withoutEffect: withoutBlocks,
  },
  double_quant: {
    description: 'with `quant=nf4` or `fp4`: also quantize the scales, to eight bits',
    type: 'boolean',
    default: true,
    withoutEffect: withoutBlocks,
  },
  shard: {
    description: 'bytes of weights in one file, at most; more are split, with an index',
    type: 'integer',
    minimum: 1,
    unit: 'bytes',
    default: 5_000_000_000,
    withoutEffect: ({ format, as }) =>
      format === 'hf' && as === 'merged'
        ? undefined
        : { beside: format === 'hf' ? 'as=adapter' : `format=${String(format)}`, note: 'it is one file' },
  },
  license: {
    description: 'licence of the model, for its card: an identifier such as apache-2.0',
    type: 'string',
  },
  language: {
    description: 'language of its answers, for its card: a code such as en',
    type: 'string',
  },
  overwrite: {
    description: 'replace what no earlier export wrote, or what was changed since',
    type: 'boolean',
    default: false,
    cosmetic: true,
  },
};
