/**
 * Epochs of `freeze` on a Llama-like model, the frozen blocks computed at every step or once for every row: seconds, peak
 * memory and losses of both, each in a process of its own. Rows are answers, or with `--pairs 1` preferences, as of `rm`.
 * npx tsc -p bench/tsconfig.json; node dist/bench/frozen-prefix.js --layers 8 --trained 1 --epochs 5
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onnx } from '../src/runtime/executables/onnx/onnx.ts';
import { freeze } from '../src/runtime/methods/freeze.ts';
import { llama } from '../src/runtime/models/llama.ts';
import { adamw } from '../src/runtime/optimizers/adamw.ts';
import { finishProgram } from '../src/runtime/run/program-passes.ts';
import { openScratch } from '../src/runtime/run/scratch.ts';
import { TokenFile } from '../src/runtime/run/token-file.ts';
import { createTrainer } from '../src/runtime/run/trainer.ts';
import { frozenPrefix } from '../src/runtime/stages/parts/frozen-prefix.ts';
import { languageModelProgram } from '../src/runtime/stages/parts/language-model-program.ts';
import { SupervisedBatches, shapeOf, sizesOf } from '../src/runtime/stages/parts/padded-batches.ts';
import { PairBatches } from '../src/runtime/stages/parts/pairs.ts';
import { preferenceProgram, SCORE } from '../src/runtime/stages/parts/reward-programs.ts';
import { StoredPairs } from '../src/runtime/stages/parts/stored-pairs.ts';
import { StoredSequences } from '../src/runtime/stages/parts/stored-sequences.ts';
import type { Policy, StageContext } from '../src/runtime/stages/stage.ts';
import { beginProcessorTime, initialize, numbersFrom, peakMemory, processorMs } from './measure.ts';

const options = numbersFrom({
  keep: -1,
  pairs: 0,
  layers: 8,
  trained: 1,
  width: 256,
  vocabulary: 2048,
  rows: 128,
  tokens: 64,
  batch: 16,
  epochs: 5,
});

interface Measured {
  readonly seconds: number;
  /** Of all threads: what a loaded machine does not stretch. */
  readonly processorSeconds: number;
  /** Seconds before the first step. */
  readonly before: number;
  readonly peakGb: number;
  readonly losses: readonly number[];
}

/** Made-up tokens; their number is a quarter to all of the longest length. */
function madeUp(row: number): Int32Array {
  const { tokens, vocabulary } = options;
  const length = Math.ceil((tokens * (1 + ((row * 37) % 4))) / 4);
  return Int32Array.from({ length }, (_, i) => ((row + 1) * (i + 1) * 7919) % vocabulary);
}

/** Batches of a step, the program of a batch, and the sequences in them. */
function workOf(config: ReturnType<typeof llama.configure>, steps: number) {
  const { rows, batch, tokens, pairs } = options;
  const body = { family: llama, config };
  const sequences = new StoredSequences(new TokenFile('', 2 ** 16));
  if (pairs === 0) {
    // The second half of each row is an answer.
    for (let row = 0; row < rows; row++) {
      const ids = madeUp(row);
      sequences.add({ ids, supervised: Uint8Array.from(ids, (_, i) => Number(2 * i >= ids.length)) });
    }
    return {
      batches: new SupervisedBatches(sequences, batch, 1, steps, tokens, 1),
      program: (key: string) => languageModelProgram({ ...body, headTrainable: false, ...shapeOf(key) }),
      sequences: [sequences],
      size: batch,
    };
  }
  const stored = new StoredPairs(sequences);
  for (let row = 0; row < rows; row += 2)
    stored.add({ chosen: madeUp(row), rejected: madeUp(row + 1), margin: 0 });
  return {
    batches: new PairBatches(stored, batch / 2, 1, tokens, 1),
    program(key: string) {
      const [size, length] = sizesOf(key);
      return preferenceProgram({ ...body, batch: 2 * size, length }, 0);
    },
    sequences: [sequences],
    size: batch,
  };
}

async function measure(keep: boolean): Promise<Measured> {
  const { layers, width, vocabulary, rows, tokens, batch, epochs } = options;
  const config = llama.configure(
    { layers, width, heads: width / 64, mlp: 3 * width, context: tokens },
    { vocabularySize: vocabulary, eos: 0, pad: 0 },
  );
  const parameters = llama.parameters(config);
  const target = { config, parameters, linears: llama.linears(config), blocks: llama.blocks(config) };
  const method = freeze.apply(target, { layers: options.trained });
  const heads =
    options.pairs === 0
      ? []
      : [{ name: SCORE, shape: [1, width], initializer: { kind: 'normal', std: width ** -0.5 } as const }];
  const weights = initialize([...parameters, ...heads]);
  const model = {
    policy: { family: llama, config, weights } as unknown as Policy,
    method,
    trainable: new Map([...weights].filter(([name]) => method.trainable.includes(name) || name === SCORE)),
    frozen: new Map([...weights].filter(([name]) => !method.trainable.includes(name) && name !== SCORE)),
  };
  const steps = Math.ceil((rows * epochs) / batch);
  const { batches, program, sequences, size } = workOf(config, steps);
  const context: Pick<StageContext, 'job' | 'scratch' | 'message' | 'checkStop' | 'load'> = {
    job: { options: {} } as unknown as StageContext['job'],
    scratch: (bytes: number) => openScratch('', bytes),
    message: () => {},
    checkStop: () => {},
    load: (built, frozen, treatment) =>
      onnx.load(
        finishProgram(() => built, treatment),
        { frozen: frozen! },
      ),
  };

  beginProcessorTime();
  const started = performance.now();
  const prefix = await frozenPrefix(context as unknown as StageContext, {
    model,
    program: program('1x8'),
    sequences,
    repeated: keep,
    size,
  });
  const before = performance.now() - started;
  const trainer = createTrainer(
    { model, program: (key) => prefix.program(program(key)) },
    { optimizer: adamw({}), clip: 1, seed: 1, load: (built, frozen) => onnx.load(built, { frozen }) },
  );
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const fed = await Promise.all(batches.batches(step).map((one) => prefix.feed(one)));
    const { sums, gradients } = await trainer.accumulate(fed, step);
    await trainer.apply(gradients, 1e-3);
    losses.push(sums.get('loss')!);
  }
  await trainer.dispose();
  const seconds = (performance.now() - started) / 1000;
  const processorSeconds = processorMs() / 1000;
  return { seconds, processorSeconds, before: before / 1000, peakGb: peakMemory(), losses };
}

if (options.keep >= 0) console.log(JSON.stringify(await measure(options.keep === 1)));
else {
  const apart = async (keep: number): Promise<Measured> => {
    const words = [import.meta.filename, ...process.argv.slice(2), '--keep', String(keep)];
    const { stdout } = await promisify(execFile)(process.execPath, words);
    return JSON.parse(stdout) as Measured;
  };
  const [every, once] = [await apart(0), await apart(1)];
  const worst = Math.max(...every.losses.map((loss, i) => Math.abs(loss - once.losses[i]!)));
  const round = (x: number) => Number(x.toPrecision(3));
  console.log(
    JSON.stringify({
      ...options,
      speedup: round(every.seconds / once.seconds),
      processorSpeedup: round(every.processorSeconds / once.processorSeconds),
      everyStepSeconds: round(every.seconds),
      onceSeconds: round(once.seconds),
      onceBeforeSeconds: round(once.before),
      everyStepGb: round(every.peakGb),
      onceGb: round(once.peakGb),
      largestLossDifference: worst,
      lastLoss: every.losses.at(-1),
    }),
  );
}
