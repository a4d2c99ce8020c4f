/** A reward model put to work: scores of whole sequences, in batches of one static shape. */
import type { Reward, StageContext } from '../stage.ts';
import { rewardProgram, SCORE } from './reward-programs.ts';

export type Judge = (sequences: readonly Int32Array[]) => Promise<number[]>;

/** Rewards at the last token of sequences of at most `length` tokens, `size` at once. */
export async function judge(
  context: Pick<StageContext, 'load'>,
  { family, config, weights, score }: Reward,
  { size, length }: { readonly size: number; readonly length: number },
): Promise<Judge> {
  const executor = await context.load(
    rewardProgram({ family, config, batch: size, length }),
    new Map([...weights, [SCORE, score]]),
  );
  return async (sequences) => {
    const rewards: number[] = [];
    for (let first = 0; first < sequences.length; first += size) {
      const part = sequences.slice(first, first + size);
      const ids = new Int32Array(size * length);
      const last = new Int32Array(size);
      part.forEach((sequence, b) => {
        ids.set(sequence, b * length);
        last[b] = b * length + sequence.length - 1;
      });
      const scored = await executor.run(
        new Map([
          ['ids', { dtype: 'i32', shape: [size, length], data: ids }],
          ['last', { dtype: 'i32', shape: [size], data: last }],
        ] as const),
      );
      rewards.push(...scored.get('rewards')!.data.subarray(0, part.length));
    }
    return rewards;
  };
}
