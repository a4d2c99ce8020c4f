/** AdamW with its state in a file. */
import { adamw, adamwOptions } from './adamw.ts';
import { adamOptions, type OptimizerKind } from './optimizer-kind.ts';
import { paged } from './paged.ts';

export const pagedAdamwKind: OptimizerKind = {
  entry: {
    name: 'paged_adamw',
    summary: 'adamw with its state in a file: slower, and 8 bytes of memory less a trained number',
    details: [
      "adamw's numbers, bit for bit. Its moments lie in a file beside the checkpoints while the stage runs: blocks of 4 MB are",
      'read before their numbers are updated and written back after, the next one being read meanwhile. Only the state of',
      'the optimizer is paged; weights, gradients and activations stay in memory. The file needs 8 bytes a trained number.',
      '',
      'Source: [QLoRA](https://arxiv.org/abs/2305.14314) section 3, which pages between the memories of GPU and CPU.',
    ].join('\n'),
    example: 'pretrain → sft(full optimizer=paged_adamw)',
    options: adamOptions,
  },
  create: (options, made) => paged(adamw(adamwOptions(options, made)), made.openPages),
};
