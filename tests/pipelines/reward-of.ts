/** Rewards of answers under a reward model that a run made. */
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { PolicyLoader } from '../../src/runtime/run/policies.ts';
import { rewardProgram, SCORE } from '../../src/runtime/stages/parts/reward-programs.ts';
import { openStore } from '../../src/runtime/store/store.ts';

interface Answer {
  readonly prompt: string;
  readonly completion: string;
}

const SIZE = 64;

/** The reward at the end token of `prompt + completion`, for any number of answers. */
export async function judge(
  directory: string,
  hash: string,
): Promise<(answers: readonly Answer[]) => Promise<number[]>> {
  const store = await openStore(directory, { write: false });
  const { family, config, weights, score, tokenizer } = await new PolicyLoader((h) =>
    store.artifact(h),
  ).reward(hash);
  return async (answers) => {
    const rows = answers.map(({ prompt, completion }) => [
      ...tokenizer.encode(prompt),
      ...tokenizer.encode(completion),
      tokenizer.eos,
    ]);
    const length = Math.max(...rows.map((row) => row.length));
    const executor = await onnx.load(rewardProgram({ family, config, batch: SIZE, length }), {
      frozen: new Map([...weights, [SCORE, score]]),
    });
    const rewards: number[] = [];
    for (let first = 0; first < rows.length; first += SIZE) {
      const ids = new Int32Array(SIZE * length).fill(tokenizer.pad);
      const last = new Int32Array(SIZE);
      const part = rows.slice(first, first + SIZE);
      part.forEach((row, b) => {
        ids.set(row, b * length);
        last[b] = b * length + row.length - 1;
      });
      const outputs = await executor.run(
        new Map([
          ['ids', { dtype: 'i32', shape: [SIZE, length], data: ids }],
          ['last', { dtype: 'i32', shape: [SIZE], data: last }],
        ]),
      );
      rewards.push(...outputs.get('rewards')!.data.slice(0, part.length));
    }
    await executor.dispose();
    return rewards;
  };
}
