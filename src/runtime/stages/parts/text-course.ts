/** How text becomes the batches of pretraining: documents packed end to end, or each a sequence of its own. */
import type { Batch } from '../stage.ts';
import { type MarkedSequence, SupervisedBatches } from './padded-batches.ts';
import { evaluationBatches, TrainingWindows, windowsIn } from './windows.ts';

/** Text as tokens, an end token after each document. */
export interface TokenizedText {
  readonly tokens: Int32Array;
  readonly end: number;
}

export interface TextCourse {
  readonly steps: number;
  /** Tokens that carry loss in a step; the mean where steps differ. */
  readonly tokensPerStep: number;
  /** Passes over the text that a step is. */
  readonly epochsPerStep: number;
  batches(step: number): Batch[];
}

export interface CourseOptions {
  /** Tokens that the model holds. */
  readonly context: number;
  readonly batch: number;
  readonly accumulate: number;
  readonly seed: number;
  readonly epochs: number;
  /** To train on in all, instead of `epochs`. */
  readonly tokens: number | undefined;
  readonly maxSteps: number;
}

/** What the option `packing` chooses between. */
export interface TextLayout {
  course(text: TokenizedText, options: CourseOptions): TextCourse;
  /** Every token but the first of a sequence predicted once; none where there is nothing to predict. */
  evaluation(text: TokenizedText, context: number, batch: number): Batch[];
}

/** Windows of `context` predictions: a document is seen after the ones before it. */
export const packed: TextLayout = {
  course({ tokens }, options) {
    const { context, batch, accumulate, seed } = options;
    const pass = windowsIn(tokens.length, context) * context;
    const perStep = batch * accumulate * context;
    const windows = new TrainingWindows(tokens, context, batch, accumulate, seed);
    return {
      steps: stepsOf(pass, perStep, options),
      tokensPerStep: perStep,
      epochsPerStep: perStep / pass,
      batches: (step) => windows.batches(step),
    };
  },
  evaluation: ({ tokens }, context, batch) =>
    tokens.length > 1 ? evaluationBatches(tokens, context, batch) : [],
};

/** A padded sequence a document, seen without the others. */
export const separate: TextLayout = {
  course(text, options) {
    const { context, batch, accumulate, seed } = options;
    const sequences = sequencesOf(text, context);
    const pass = sequences.reduce((n, { ids }) => n + ids.length - 1, 0);
    const perStep = (pass / sequences.length) * batch * accumulate;
    const steps = stepsOf(pass, perStep, options);
    const batches = new SupervisedBatches(sequences, batch, accumulate, steps, context, seed);
    return {
      steps,
      tokensPerStep: Math.round(perStep),
      epochsPerStep: (batch * accumulate) / sequences.length,
      batches: (step) => batches.batches(step),
    };
  },
  evaluation(text, context, batch) {
    const sequences = sequencesOf(text, context);
    return sequences.length > 0 ? new SupervisedBatches(sequences, batch, 1, 0, context, 0).evaluation() : [];
  },
};

const stepsOf = (pass: number, perStep: number, { tokens, epochs, maxSteps }: CourseOptions) =>
  Math.min(maxSteps, Math.max(1, Math.ceil((tokens ?? epochs * pass) / perStep)));

/**
 * One sequence a document; a document longer than the context makes several, each of which begins with the last token of
 * the one before it, so that no token goes unpredicted.
 */
export function sequencesOf({ tokens, end }: TokenizedText, context: number): MarkedSequence[] {
  const sequences: MarkedSequence[] = [];
  let start = 0;
  for (let i = 0; i < tokens.length; i++) {
    const ends = tokens[i] === end || i === tokens.length - 1;
    if (!ends && i + 1 - start < context) continue;
    const ids = tokens.subarray(start, i + 1);
    if (ids.length > 1) sequences.push({ ids, supervised: new Uint8Array(ids.length).fill(1) });
    start = ends ? i + 1 : i;
  }
  return sequences;
}
