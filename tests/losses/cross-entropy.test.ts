/** Cross-entropy from hidden states against PyTorch, in chunks, and where probabilities vanish. */
import { describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { linearCrossEntropy } from '../../src/runtime/losses/linear-cross-entropy.ts';
import { linearHead } from '../../src/runtime/losses/linear-head.ts';
import { logProbabilities, logProbabilitiesOfLogits } from '../../src/runtime/losses/log-probabilities.ts';
import { selectRows } from '../../src/runtime/losses/select-rows.ts';
import { input, mul, sum } from '../../src/runtime/programs/builder.ts';
import { random } from '../../src/runtime/random/random.ts';
import { expectClose } from '../reference/close.ts';
import { vectors } from '../reference/rl-vectors.ts';
import { f32, i32, runProgram } from './run-program.ts';

const CLOSE = { relative: 2e-6, absolute: 1e-6 };
const identity = (n: number) =>
  f32(
    Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    [n, n],
  );

describe.each([reference, onnx])('$name', (engine) => {
  test('loss, gradient and accuracy of masked labels', async () => {
    // With the identity as head the hidden states are the logits.
    const {
      logits,
      labels,
      count,
      loss_mean_over_unmasked: loss,
      grad_logits,
      token_accuracy,
    } = vectors.cross_entropy_masked;
    const rows = (logits as number[][][]).flatMap((row) => row.slice(0, -1));
    const targets = (labels as number[][]).flatMap((row) => row.slice(1));
    const n = rows.length;
    const built = linearCrossEntropy({
      hidden: input('hidden', 'f32', [n, 7]),
      head: input('head', 'f32', [7, 7]),
      labels: input('labels', 'i32', [n]),
      weights: input('weights', 'f32', [n]),
      chunkRows: 3,
    });
    const feeds = {
      hidden: f32(rows.flat(), [n, 7]),
      head: identity(7),
      labels: i32(targets.map((y) => Math.max(0, y))),
      weights: f32(targets.map((y) => (y < 0 ? 0 : 1 / count))),
    };
    const results = await runProgram(engine, { ...built }, feeds, ['hidden']);
    expectClose(results.get('loss')!.data, [loss], CLOSE, 'loss');
    expectClose(results.get('correct')!.data, [token_accuracy], CLOSE, 'accuracy');
    const gradient = (grad_logits as number[][][]).flatMap((row) => row.slice(0, -1)).flat();
    expectClose(results.get('grad:hidden')!.data, gradient, CLOSE, 'gradient');
  });

  test('any chunking gives the same loss, metrics and gradients', async () => {
    const stream = random(11, 'chunks');
    const normal = (n: number) => Array.from({ length: n }, () => stream.normal());
    const feeds = {
      hidden: f32(normal(10 * 4), [10, 4]),
      head: f32(normal(9 * 4), [9, 4]),
      labels: i32(Array.from({ length: 10 }, () => stream.integer(9))),
      weights: f32(Array.from({ length: 10 }, () => stream.uniform())),
    };
    const run = (headTrainable: boolean, chunkRows: number, chunkColumns?: number) => {
      const built = linearCrossEntropy({
        hidden: input('hidden', 'f32', [10, 4]),
        head: input('head', 'f32', [9, 4]),
        labels: input('labels', 'i32', [10]),
        weights: input('weights', 'f32', [10]),
        headTrainable,
        chunkRows,
        ...(chunkColumns !== undefined && { chunkColumns }),
      });
      return runProgram(engine, { ...built }, feeds, headTrainable ? ['hidden', 'head'] : ['hidden']);
    };
    // The ordinary rules of differentiation, without chunks or gradients written by hand.
    const { logProbability, entropy } = logProbabilities({
      hidden: input('hidden', 'f32', [10, 4]),
      head: input('head', 'f32', [9, 4]),
      labels: input('labels', 'i32', [10]),
    });
    const weights = input('weights', 'f32', [10]);
    const plain = { loss: mul(sum(mul(weights, logProbability)), -1), entropy: sum(mul(weights, entropy)) };
    const expected = await runProgram(engine, plain, feeds, ['hidden', 'head']);
    const close = (actual: Awaited<ReturnType<typeof run>>, tiles: string) => {
      for (const [name, { data }] of actual)
        if (expected.has(name))
          expectClose(
            data,
            expected.get(name)!.data,
            { absolute: 2e-6, relative: 4e-6 },
            `${name}, ${tiles}`,
          );
    };
    for (const chunkRows of [1, 3, 5, 10, 100]) close(await run(true, chunkRows), `${chunkRows}`);
    const whole = await run(false, 10, 9);
    for (const [rows, columns] of [
      [10, 3],
      [4, 4],
      [1, 8],
      [3, 1],
    ] as const) {
      const tiled = await run(false, rows, columns);
      expect([...tiled.keys()]).toContain('grad:hidden');
      close(tiled, `${rows} × ${columns}`);
      expect(tiled.get('correct')!.data[0]).toBeCloseTo(whole.get('correct')!.data[0]!, 5);
    }
  });

  test.each([3, 2, 1])(
    'the loss of a token whose probability no float holds, %i at once',
    async (chunkColumns) => {
      const built = linearCrossEntropy({
        hidden: input('hidden', 'f32', [2, 3]),
        head: input('head', 'f32', [3, 3]),
        labels: input('labels', 'i32', [2]),
        weights: input('weights', 'f32', [2]),
        chunkColumns,
      });
      const feeds = {
        hidden: f32([300, 0, -250, 1e4, 9990, 0], [2, 3]),
        head: identity(3),
        labels: i32([2, 1]),
        weights: f32([1, 1]),
      };
      const results = await runProgram(engine, { loss: built.loss }, feeds, ['hidden']);
      expectClose(results.get('loss')!.data, [550 + 10 + Math.log1p(Math.exp(-10))], { relative: 1e-7 });
      const p = 1 / (1 + Math.exp(10));
      expectClose(results.get('grad:hidden')!.data, [1, 0, -1, 1 - p, p - 1, 0], CLOSE);
    },
  );

  test('log-probabilities at a temperature, entropies', async () => {
    const { logits, tokens, temperature, logprobs } = vectors.logprob_with_temperature;
    const hidden = input('hidden', 'f32', [3, 7]);
    const head = input('head', 'f32', [7, 7]);
    const labels = input('labels', 'i32', [3]);
    const chunked = linearHead({ hidden, head, labels, temperature, chunkRows: 2 });
    const plain = logProbabilities({ hidden, head, labels, temperature });
    const untempered = linearHead({ hidden, head, labels, chunkRows: 2 });
    const outputs = {
      chunked: chunked.logProbabilities,
      plain: plain.logProbability,
      entropy: untempered.entropy,
      entropyOfLogits: logProbabilitiesOfLogits(hidden, labels).entropy,
    };
    const feeds = {
      hidden: f32((logits as number[][]).flat(), [3, 7]),
      head: identity(7),
      labels: i32(tokens),
    };
    const results = await runProgram(engine, outputs, feeds);
    expectClose(results.get('chunked')!.data, logprobs, CLOSE);
    expectClose(results.get('plain')!.data, logprobs, CLOSE);
    expectClose(results.get('entropy')!.data, vectors.entropy_from_logits.entropy, CLOSE);
    expectClose(results.get('entropyOfLogits')!.data, vectors.entropy_from_logits.entropy, CLOSE);
  });

  test('rows are selected by row · T + position', async () => {
    const outputs = { rows: selectRows(input('hidden', 'f32', [2, 3, 2]), input('index', 'i32', [2])) };
    const feeds = {
      hidden: f32(
        Array.from({ length: 12 }, (_, i) => i),
        [2, 3, 2],
      ),
      index: i32([4, 0]),
    };
    expect([...(await runProgram(engine, outputs, feeds)).get('rows')!.data]).toEqual([8, 9, 0, 1]);
  });
});

test('metrics: false leaves the metrics at 0', async () => {
  const built = linearCrossEntropy({
    hidden: input('hidden', 'f32', [1, 2]),
    head: input('head', 'f32', [2, 2]),
    labels: input('labels', 'i32', [1]),
    weights: input('weights', 'f32', [1]),
    metrics: false,
  });
  const feeds = { hidden: f32([0, 0], [1, 2]), head: identity(2), labels: i32([0]), weights: f32([1]) };
  const results = await runProgram(reference, { ...built }, feeds);
  expect([...results].map(([name, { data }]) => [name, data[0]])).toEqual([
    ['loss', Math.fround(Math.LN2)],
    ['correct', 0],
    ['entropy', 0],
  ]);
});
