/** `qlora`: low-rank adapters beside a base that stays quantized. */
import {
  blockProblem,
  type QuantizationOptions,
  quantizedFormats,
} from '../quantization/quantized-tensor.ts';
import { lora } from './lora.ts';
import { type Method, MethodError } from './method.ts';

/**
 * y = x dequantize(Wq)ᵀ + scale · (x Aᵀ) Bᵀ: every linear weight of the blocks is quantized when the base is read and
 * stays so; embeddings, norms, biases and head stay as they are. Only A and B are trained.
 * @see https://arxiv.org/abs/2305.14314 section 3
 */
export const qlora: Method = {
  entry: {
    name: 'qlora',
    summary: 'lora beside a base that stays quantized in memory, in four or eight bits',
    details: [
      'Every linear weight of the blocks is quantized as the base is read, and stays so; embeddings, norms and head stay',
      'in f32. A code is the number of a value in a table, and nothing is computed with codes: products look the values up',
      'as they need them, and are taken in f32. So what is saved is memory, not time (looking up costs some), beside the',
      '16 bits a weight that large checkpoints have. Only the adapters are trained, as with `lora`.',
      '',
      '`quant=nf4`: sixteen values placed after the quantiles of the normal distribution (8 positive, 7 negative, one',
      'zero), so that roughly as many weights are near each of them. Blocks of 64 weights share a scale, their largest',
      'magnitude, and get the nearest value: 4.5 bits a weight. `double_quant` takes the mean of all scales away and keeps',
      'what is left in eight bits, in blocks of 256 that share a scale in f32: 4.127 bits. `int8` and `int4` have evenly',
      'spaced values in the same blocks (round(127 w / scale), round(7 w / scale)), `fp4` those of a float of four bits.',
      '',
      'The saved adapter belongs to the quantized base: stages after this one read the base the way it was trained with',
      '(quantized and back), so nothing differs between training and what follows. Another `qlora` of the same format keeps',
      'the codes, and the earlier adapter, frozen, beside them; in another format, and after `dora`, the weights are merged',
      'and quantized again.',
      '',
      'Sources: [QLoRA](https://arxiv.org/abs/2305.14314). Files: PEFT; codes and tables as bitsandbytes has them.',
    ].join('\n'),
    example: 'pretrain → sft(qlora r=8 quant=nf4)',
    options: {
      ...lora.entry.options,
      targets: { ...lora.entry.options.targets!, default: ['all'] },
      quant: {
        description: 'number format of the frozen weights',
        type: 'string',
        enum: quantizedFormats,
        default: 'nf4',
      },
      block: {
        description: 'weights that share one scale, a power of two',
        type: 'integer',
        minimum: 1,
        powerOfTwo: true,
        unit: 'count',
        default: 64,
      },
      double_quant: {
        description: 'also quantize the scales, to eight bits',
        type: 'boolean',
        default: true,
      },
    },
  },
  apply(target, options) {
    const { quant = 'nf4', block = 64, double_quant = true, ...adapter } = options;
    const problem = blockProblem(Number(block));
    if (problem !== undefined) throw new MethodError('block', problem);
    const format: QuantizationOptions = {
      format: quant as QuantizationOptions['format'],
      block: Number(block),
      doubleQuantization: double_quant === true,
    };
    const applied = lora.apply(target, { targets: ['all'], ...adapter });
    const weights = new Set(target.linears.map((linear) => linear.weight));
    return { ...applied, quantized: new Map([...weights].map((weight) => [weight, format])) };
  },
};
