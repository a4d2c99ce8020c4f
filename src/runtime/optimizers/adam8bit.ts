/** AdamW with its moments in eight bits. */
import { type AdamWOptions, adamwKept, adamwOptions } from './adamw.ts';
import type { Chain } from './chain.ts';
import { eightBit } from './eight-bit.ts';
import { single } from './moment-format.ts';
import { adamOptions, type OptimizerKind } from './optimizer-kind.ts';

/** Tensors with fewer elements keep their moments in single precision: they cost little, and norms are delicate. */
const SMALLEST = 4096;

const signed = eightBit(true);
const unsigned = eightBit(false);

export const adam8bit = (options: AdamWOptions = {}): Chain =>
  adamwKept((moment, elements) => {
    if (elements < SMALLEST) return single;
    return moment.signed ? signed : unsigned;
  }, options);

export const adam8bitKind: OptimizerKind = {
  entry: {
    name: 'adam8bit',
    summary: 'adamw with moments in 8 bits: a quarter of its state',
    details: [
      "adamw's update. Between steps both moments lie in blocks of 256 numbers, each block divided by its largest",
      'magnitude, each number the nearest of 256 that are dense around zero (a signed map for m, an unsigned one for v): 2.03',
      `bytes of state a trained number instead of 8. Tensors with fewer than ${SMALLEST} numbers keep single precision.`,
      '',
      'Source: [8-bit optimizers](https://arxiv.org/abs/2110.02861) sections 2.1 and 2.2; maps and rounding as in bitsandbytes.',
    ].join('\n'),
    example: 'pretrain → sft(full optimizer=adam8bit)',
    options: adamOptions,
  },
  create: (options, made) => adam8bit(adamwOptions(options, made)),
};
