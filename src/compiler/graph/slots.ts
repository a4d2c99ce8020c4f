/** What flows along the arrows, in words. */
import type { Slot } from '../catalog.ts';

export const slotWords: { readonly [S in Slot]: string } = {
  policy: 'a policy (a language model)',
  tokenizer: 'a tokenizer',
  template: 'a chat template',
  reward: 'a reward model',
  metrics: 'metrics',
  files: 'files',
};
