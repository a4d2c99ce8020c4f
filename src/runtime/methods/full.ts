/** `full`: every weight of the model is trained. */
import type { Method } from './method.ts';

export const full: Method = {
  entry: {
    name: 'full',
    summary: 'trains every weight of the model',
    details:
      'Needs memory for the gradients and two optimizer moments of every weight: 16 bytes a weight in all.',
    example: 'pretrain → sft(full)',
    options: {},
  },
  apply: (target) => ({
    trainable: target.parameters.map((spec) => spec.name),
    added: [],
    rewrite: (program) => program,
    dropout: [],
  }),
};
