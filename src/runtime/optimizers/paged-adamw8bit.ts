/** AdamW with its moments in eight bits, in a file. */
import { adam8bit } from './adam8bit.ts';
import { adamwOptions } from './adamw.ts';
import { adamOptions, type OptimizerKind } from './optimizer-kind.ts';
import { paged } from './paged.ts';

export const pagedAdamw8bitKind: OptimizerKind = {
  entry: {
    name: 'paged_adamw8bit',
    summary: 'adam8bit with its state in a file',
    details: [
      "adam8bit's numbers, bit for bit, with the state where paged_adamw has it: a quarter of its reading and writing.",
      '',
      'Sources: [8-bit optimizers](https://arxiv.org/abs/2110.02861), [QLoRA](https://arxiv.org/abs/2305.14314) section 3.',
    ].join('\n'),
    example: 'pretrain → sft(full optimizer=paged_adamw8bit)',
    options: adamOptions,
  },
  create: (options, made) => paged(adam8bit(adamwOptions(options, made)), made.openPages),
};
