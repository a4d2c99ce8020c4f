/** `lora`: low-rank adapters beside frozen weights. */
import { adaptersFor } from './lora-adapters.ts';
import { loraOptions, loraSettings } from './lora-options.ts';
import { addedShapes, peftConfig, peftTensors } from './lora-peft.ts';
import { addAdapters, hasMask, maskName } from './lora-rewrite.ts';
import { adapterParameters, startValues } from './lora-start.ts';
import { mergePeft } from './merge-peft.ts';
import type { Method } from './method.ts';

/**
 * y = x Wᵀ + scale · (x Aᵀ) Bᵀ with scale = alpha / r. x: (…, in), W: (out, in) frozen, A: (r, in) Kaiming uniform
 * ±1/√in, B: (out, r) zeros, so step 0 equals the base model. Dropout acts on the input of A only.
 * @see https://arxiv.org/abs/2106.09685 section 4.1; rslora: https://arxiv.org/abs/2312.03732; dora:
 * https://arxiv.org/abs/2402.09353; pissa: https://arxiv.org/abs/2404.02948
 */
export const lora: Method = {
  entry: {
    name: 'lora',
    summary: 'trains low-rank matrices beside frozen weights',
    details: [
      'Each targeted weight W keeps its value and gets two small matrices beside it: `y = W x + (alpha / r) · B A x`. The',
      'product is added in parallel; W itself is never multiplied with it. A (r × in) starts random, uniform within ±1/√in;',
      'B (out × r) starts at zero, so training starts from the base model exactly. No decomposition of W is involved. Only A',
      'and B are trained and stored, r · (in + out) numbers instead of in · out: for a 4096 × 4096 matrix and r=8 65,536,',
      '1/256 or 0.39 % of it (GPT-3 with r=4 on q and v: a 10,000th). Merged into W after training they cost nothing at',
      'inference; merging makes new weights and leaves W as it was, so that taking an adapter off again loses nothing.',
      'What is assumed to have a low rank is the change that fine-tuning makes, not W. The paper measures it on GLUE, E2E,',
      'DART, WebNLG, WikiSQL and SAMSum.',
      '',
      '`alpha` sets how strongly the adapter counts; the default of 2 r (scale 2) is what most recipes use today. The paper',
      'sets alpha to the first r tried and does not tune it: dividing by r is there so that another r needs no other alpha.',
      'The scale is 1 where alpha = r; loralib starts at alpha=1, PEFT at 8, QLoRA used 16 with r=64. `rslora` divides by √r',
      'instead, which keeps the strength of large ranks up. `dropout` acts on the input of A only.',
      '',
      '`targets`: q, k, v, o of attention; gate, up, down of the feed-forward half (GPT-2 has up and down); qkv: q, k',
      "and v, GPT-2's fused `c_attn` as one matrix; all: every linear layer of every block. On GPT-2, q, k, v alone adapt",
      'their columns of `c_attn`; exported to PEFT they become one adapter of the summed rank. The paper adapts attention',
      'alone; at an equal budget q,v (73.7 and 91.3 on WikiSQL and MNLI), q,k,v,o (73.7 and 91.7) and q,k (71.4 and 91.3)',
      'differ little, which is its whole reason for q,v. That every linear layer is worth adapting is the finding of QLoRA.',
      '`embed` is the token embedding, whose A starts at zero and B random; `head` the output layer. Where both are one',
      'tensor (a tied head), `embed` adapts both uses of it, at the price of a gradient as large as the tensor. (PEFT loads',
      'this, but its own merge would add it twice: export merged weights instead.) Dropout reaches neither of the two.',
      '`ranks=16,4` gives each target, in order, a rank of its own; where two targets name one layer, the narrower one counts.',
      '`layers=2` adapts the last two blocks only; below them there is no backward pass, and over several epochs of `sft`,',
      '`rm` or `pretrain(packing=false)` no forward pass but the first.',
      '',
      '`init=gaussian` draws A with deviation 1/r. `init=pissa` starts A and B from the r largest singular values of W and',
      'trains the difference: `y = W x + (alpha / r) · (B A − B₀ A₀) x`, which starts from the base model too. The base keeps',
      'its weights, so the adapter is saved as a plain one of rank 2 r that loads on them, as PEFT converts it. (A start from',
      'singular vectors is a later method, not part of LoRA.) `dora` trains the length of each output row of the weight',
      'apart from its direction: `y = m · (W + ΔW) x / ‖W + ΔW‖`, m starting as ‖W‖; the length takes no gradient.',
      '',
      'Sources: [LoRA](https://arxiv.org/abs/2106.09685), [rsLoRA](https://arxiv.org/abs/2312.03732),',
      '[DoRA](https://arxiv.org/abs/2402.09353), [PiSSA](https://arxiv.org/abs/2404.02948). Files: PEFT.',
    ].join('\n'),
    example: 'pretrain → sft(lora r=8 targets=q,v)',
    options: loraOptions,
  },
  apply(target, options) {
    const settings = loraSettings(options);
    const adapters = adaptersFor(target, settings);
    const added = adapterParameters(adapters, settings.init);
    const frozen = new Set(
      adapters.flatMap(({ parts }) => parts.flatMap(({ start }) => (start ? [start.a, start.b] : []))),
    );
    const turned = new Set(adapters.flatMap(({ layout, weight }) => (layout === 'in,out' ? [weight] : [])));
    const config = peftConfig(adapters, target, settings);
    const masked = settings.dropout > 0 ? adapters.filter(hasMask) : [];
    return {
      trainable: added.map((spec) => spec.name).filter((name) => !frozen.has(name)),
      added,
      start: (base) => startValues(adapters, base),
      rebuilt: adapters.flatMap(({ use, weight }) => (use === 'whole' ? [weight] : [])),
      rewrite: (program, { dropout = true } = {}) =>
        addAdapters(program, adapters, { dropout: dropout && masked.length > 0 }),
      adapter: {
        config,
        adds: addedShapes(adapters, settings),
        merge: (base, tensors) => mergePeft(base, peftTensors(tensors, adapters, base), config, turned),
        export: (tensors, base) => peftTensors(tensors, adapters, base),
      },
      dropout: masked.map((adapter) => ({ input: maskName(adapter), probability: settings.dropout })),
    };
  },
};
