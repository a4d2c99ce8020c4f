/** What `pretrain` would cost. */
import { paddingMatters } from '../parts/frozen-prefix.ts';
import { type LanguageModelSpec, languageModelProgram } from '../parts/language-model-program.ts';
import { joined } from '../parts/sequences.ts';
import { headIsTrained } from '../parts/training.ts';
import { windowsIn } from '../parts/windows.ts';
import { type Estimate, type EstimateContext, type PlannedModel, StageError } from '../stage.ts';
import { keptRows, withKeptRows } from './kept-rows.ts';
import { lengthsOf } from './lengths.ts';
import { evaluationShapes, type PaddedShape, trainingShapes } from './padded-shapes.ts';
import type { RowLengths } from './row-lengths.ts';
import { cap, evaluationRuns, methodSizes } from './sizes.ts';
import { supervisedWork } from './supervised-work.ts';

/** Bytes of the tokenizer's file for an entry of the vocabulary and its merge. */
const TOKENIZER_BYTES_AN_ENTRY = 60;

/** Nothing to learn from: known when it is planned, and said again where it runs. */
export const noTextToLearn = (): StageError =>
  new StageError('too-few-rows', 'the training split has no text', {
    option: 'data',
    help: ['give the data more text: its rows go to `train` or `test` by a hash of each'],
  });

/** Errors: StageError where there is no text to learn from. */
export async function estimatePretrain(context: EstimateContext): Promise<Estimate> {
  const { job } = context;
  const model = context.model ?? (await newModel(context));
  const { family, config } = model;
  const shape = family.shape(config);
  const { context: length, vocabularySize, width } = shape;
  const sizes = methodSizes(context, model);
  const { method, parameters, diskBytes, scratchBytes, made } = sizes;
  const { batch, accumulate, epochs, tokens } = numbersOf(job.options);
  const training = await lengthsOf(context, 'data', 'train', 'text', model);
  const heldOut = await lengthsOf(context, 'data', 'test', 'text', model);
  if (training.count === 0) throw noTextToLearn();
  const layout = (job.options.packing === false ? separate : packed)({
    training,
    heldOut,
    length,
    batch,
    seed: Number(job.options.seed),
  });
  const perStep = batch * accumulate * layout.learned;
  const steps = cap((tokens ?? epochs * layout.pass) / perStep, context);
  const headTrainable = headIsTrained(family, config, method);
  const programOf = (one: LayoutShape) =>
    languageModelProgram({ family, config, batch, ...one.shape, headTrainable });
  const { alone, count } = layout;
  const { notes, ...work } = supervisedWork({
    sizes,
    trained: method.trainable,
    training: layout
      .training(steps * accumulate)
      .map((one) => ({ program: programOf(one), runs: one.batches })),
    measuring: layout.evaluation.map((one) => ({
      program: programOf(one),
      runs: evaluationRuns(context, one.batches, steps),
    })),
    repeated: !paddingMatters(shape, alone) && alone.length > 0 && (steps - 1) * batch * accumulate >= count,
    once: { tokens: alone.reduce((n, tokens) => n + tokens, 0), batches: Math.ceil(alone.length / batch) },
    width,
  });
  const estimate = {
    model: made,
    parameters,
    steps,
    tokens: Math.round(steps * perStep),
    ...work,
    diskBytes: diskBytes + vocabularySize * TOKENIZER_BYTES_AN_ENTRY,
    scratchBytes,
    notes: [
      ...notes,
      ...(context.model ? [] : ['tokens are estimated: the tokenizer is trained by this stage']),
      ...(heldOut.count > 0
        ? []
        : [
            'nothing is held out, so no `eval_loss` is measured: no row of the data falls to the `test` split (add text, or `→ split(test=20%)`)',
          ]),
    ],
  };
  const sides = [training, heldOut].map(({ totalTokens }) => ({ tokens: totalTokens, rows: 0 }));
  return withKeptRows(estimate, keptRows(model, ...sides));
}

const numbersOf = (options: EstimateContext['job']['options']) => ({
  batch: Number(options.batch),
  accumulate: Number(options.accumulate),
  epochs: Number(options.epochs),
  tokens: options.tokens === undefined ? undefined : Number(options.tokens),
});

interface Text {
  readonly training: RowLengths;
  readonly heldOut: RowLengths;
  /** The model's context. */
  readonly length: number;
  readonly batch: number;
  readonly seed: number;
}

interface LayoutShape {
  readonly shape: Pick<LanguageModelSpec, 'length' | 'rows'>;
  readonly batches: number;
}

interface Layout {
  /** Tokens learned in a pass over the text, and from a sequence. */
  readonly pass: number;
  readonly learned: number;
  /** The longest first. */
  training(runs: number): readonly LayoutShape[];
  readonly evaluation: readonly LayoutShape[];
  /** Tokens of every sequence that stands for itself, those of evaluations too, and how many of them are trained on. */
  readonly alone: Int32Array;
  readonly count: number;
}

function packed({ training, heldOut, length, batch }: Text): Layout {
  const shape = { length };
  const batches = Math.ceil(heldOut.totalTokens / (batch * length));
  return {
    pass: windowsIn(training.totalTokens, length) * length,
    learned: length,
    training: (runs) => [{ shape, batches: runs }],
    evaluation: [{ shape, batches }],
    alone: new Int32Array(),
    count: 0,
  };
}

/** A document is taken for one sequence. */
function separate({ training, heldOut, length: context, batch, seed }: Text): Layout {
  const sequences = (rows: RowLengths) =>
    rows.map((tokens) => [Math.min(tokens, context), Math.min(tokens, context) - 1]);
  const [rows, measured] = [sequences(training), sequences(heldOut)];
  const pass = rows.learned.reduce((n, learned) => n + Math.max(1, learned), 0);
  const shaped = ({ length, learned, batches }: PaddedShape) => ({
    shape: { length, rows: learned },
    batches,
  });
  return {
    pass,
    learned: pass / Math.max(1, rows.count),
    training: (runs) => trainingShapes(rows, { batch, runs, seed, context }).map(shaped),
    evaluation: evaluationShapes(measured, batch, context).map(shaped),
    alone: joined(rows.tokens, measured.tokens),
    count: rows.count,
  };
}

async function newModel(context: EstimateContext): Promise<PlannedModel> {
  const { job } = context;
  const family = context.family(job.model!.name);
  const size = Number(job.options.vocabulary);
  const config = family.configure(job.model!.options, { vocabularySize: size, eos: 0, pad: 1 });
  return { family, config, tokensPerByte: await context.tokensPerByte('data', size) };
}
