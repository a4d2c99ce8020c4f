/** The preference loss and its gradients against PyTorch. */
import { describe, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { bradleyTerry } from '../../src/runtime/losses/bradley-terry.ts';
import { input } from '../../src/runtime/programs/builder.ts';
import { expectClose } from '../reference/close.ts';
import { vectors } from '../reference/rl-vectors.ts';
import { f32, runProgram } from './run-program.ts';

interface Case {
  readonly name: string;
  readonly chosen: number[];
  readonly rejected: number[];
  readonly margin: number[] | null;
  readonly center_rewards_coefficient: number | null;
  readonly loss: number;
  readonly grad_chosen: number[];
  readonly grad_rejected: number[];
}

const CLOSE = { relative: 2e-6, absolute: 1e-6 };

describe.each([reference, onnx])('$name', (engine) => {
  test.each(vectors.bradley_terry as Case[])('$name', async (wanted) => {
    const n = wanted.chosen.length;
    const column = (name: string) => input(name, 'f32', [n]);
    const loss = bradleyTerry({
      chosen: column('chosen'),
      rejected: column('rejected'),
      weights: column('weights'),
      ...(wanted.margin && { margin: column('margin') }),
      ...(wanted.center_rewards_coefficient && { centering: wanted.center_rewards_coefficient }),
    });
    const feeds = {
      chosen: f32(wanted.chosen),
      rejected: f32(wanted.rejected),
      weights: f32(new Array(n).fill(1 / n)),
      ...(wanted.margin && { margin: f32(wanted.margin) }),
    };
    const results = await runProgram(engine, { loss }, feeds, ['chosen', 'rejected']);
    expectClose(results.get('loss')!.data, [wanted.loss], CLOSE, 'loss');
    expectClose(results.get('grad:chosen')!.data, wanted.grad_chosen, CLOSE, 'gradient of chosen');
    expectClose(results.get('grad:rejected')!.data, wanted.grad_rejected, CLOSE, 'gradient of rejected');
  });

  test('all pairs of one ranking', async () => {
    const { rewards_best_first: best, pairs, loss: expected } = vectors.instructgpt_ranking_K4;
    const side = (which: 0 | 1) => f32((pairs as number[][]).map((pair) => best[pair[which]!]));
    const column = (name: string) => input(name, 'f32', [6]);
    const loss = bradleyTerry({
      chosen: column('chosen'),
      rejected: column('rejected'),
      weights: column('weights'),
    });
    const feeds = { chosen: side(0), rejected: side(1), weights: f32(new Array(6).fill(1 / 6)) };
    expectClose((await runProgram(engine, { loss }, feeds)).get('loss')!.data, [expected], CLOSE);
  });
});
