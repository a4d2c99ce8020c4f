/** `lora`: low-rank adapters beside frozen weights. */
import { adapterParameters, adaptersFor, TARGETS } from './lora-adapters.ts';
import { mergeAdapters, peftTensors } from './lora-merge.ts';
import { peftConfig } from './lora-peft.ts';
import { addAdapters, maskName } from './lora-rewrite.ts';
import type { Method } from './method.ts';

/**
 * y = x Wᵀ + scale · (x Aᵀ) Bᵀ with scale = alpha / r. x: (…, in), W: (out, in) frozen, A: (r, in) Kaiming uniform
 * ±1/√in, B: (out, r) zeros, so step 0 equals the base model. Dropout acts on the input of A only.
 * @see https://arxiv.org/abs/2106.09685 section 4.1; rslora: https://arxiv.org/abs/2312.03732
 */
export const lora: Method = {
  entry: {
    name: 'lora',
    summary: 'trains low-rank matrices beside frozen weights',
    details: [
      'Each targeted weight W keeps its value and gets two small matrices beside it: `y = W x + (alpha / r) · B A x`.',
      'A (r × in) starts random, uniform within ±1/√in; B (out × r) starts at zero, so training starts from the base',
      'model exactly. Only A and B are trained and stored, r · (in + out) numbers instead of in · out: for a 4096 × 4096',
      'matrix and r=8, 0.39 % of it. Merged into W after training it costs nothing at inference.',
      '',
      '`alpha` sets how strongly the adapter counts; the default of 2 r (scale 2) is what most recipes use today, the',
      'paper sets it to the first r tried and does not tune it. `rslora` divides by √r instead, so that a larger r does',
      'not need a larger alpha. `dropout` acts on the input of A only.',
      '',
      '`targets`: q, k, v, o of attention; gate, up, down of the feed-forward half (GPT-2 has up and down); qkv: q, k',
      "and v, GPT-2's fused `c_attn` as one matrix; all: every linear layer of every block. On GPT-2, q, k, v alone adapt",
      'their columns of `c_attn`; exported to PEFT they become one adapter of the summed rank.',
      '',
      'Sources: [LoRA](https://arxiv.org/abs/2106.09685), [rsLoRA](https://arxiv.org/abs/2312.03732). Files: PEFT.',
    ].join('\n'),
    example: 'pretrain → sft(lora r=8 targets=q,v)',
    options: {
      r: { description: 'rank of the adapters', type: 'integer', minimum: 1, unit: 'count', default: 8 },
      alpha: {
        description: 'strength: the adapter is multiplied with alpha / r',
        type: 'number',
        exclusiveMinimum: 0,
        defaultNote: '2 × r',
        computedDefault: ({ r }) => 2 * Number(r),
      },
      targets: {
        description: 'linear layers that get an adapter',
        type: 'array',
        items: { type: 'string', enum: TARGETS },
        minItems: 1,
        default: ['q', 'v'],
      },
      dropout: {
        description: "probability of dropping an element of the adapters' input",
        type: 'number',
        minimum: 0,
        exclusiveMaximum: 1,
        unit: 'ratio',
        default: 0,
      },
      rslora: {
        description: 'multiply with alpha / √r instead of alpha / r',
        type: 'boolean',
        default: false,
      },
    },
  },
  apply({ linears }, options) {
    const r = Number(options.r ?? 8);
    const alpha = Number(options.alpha ?? 2 * r);
    const dropout = Number(options.dropout ?? 0);
    const rslora = options.rslora === true;
    const targets = options.targets ?? ['q', 'v'];
    const adapters = adaptersFor(linears, Array.isArray(targets) ? targets : [targets], r);
    const added = adapterParameters(adapters);
    const scale = alpha / (rslora ? Math.sqrt(r) : r);
    const masks = dropout > 0 ? adapters.map((a) => ({ input: maskName(a), probability: dropout })) : [];
    return {
      trainable: added.map((spec) => spec.name),
      added,
      rewrite: (program, { dropout: wanted = true } = {}) =>
        addAdapters(program, adapters, { scale, dropout: wanted && masks.length > 0 }),
      adapter: {
        config: peftConfig(adapters, linears, { r, alpha, dropout, rslora }),
        merge: (base, tensors) => mergeAdapters(base, tensors, adapters, scale),
        export: (tensors) => peftTensors(tensors, adapters),
      },
      dropout: masks,
    };
  },
};
