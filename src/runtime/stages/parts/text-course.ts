/** How text becomes the batches of pretraining: documents packed end to end, or each a sequence of its own. */
import type { Batch } from '../stage.ts';
import type { Tokens } from '../tokens.ts';
import { documentSequences } from './document-sequences.ts';
import { type SequenceBatch, SupervisedBatches } from './padded-batches.ts';
import type { Sequences } from './stored-sequences.ts';
import { evaluationBatches, TrainingWindows, windowsIn } from './windows.ts';

/** Text as tokens, an end token after each document. */
export interface TokenizedText {
  readonly tokens: Tokens;
  readonly end: number;
}

/** Of sequences that stand for themselves, with them; else of windows. */
export type TextBatch = Batch & Partial<SequenceBatch>;

export interface TextCourse {
  readonly steps: number;
  /** Tokens that carry loss in a step; the mean where steps differ. */
  readonly tokensPerStep: number;
  /** Passes over the text that a step is. */
  readonly epochsPerStep: number;
  batches(step: number): TextBatch[];
  /** What batches are made of, where every pass sees the same. */
  readonly sequences?: Sequences;
}

export interface TextEvaluation {
  /** Made anew whenever they are asked for. */
  batches(): Iterable<TextBatch>;
  readonly sequences?: Sequences;
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
  /** Every token but the first of a sequence predicted once; undefined where there is nothing to predict. */
  evaluation(text: TokenizedText, context: number, batch: number): TextEvaluation | undefined;
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
    tokens.length > 1 ? { batches: () => evaluationBatches(tokens, context, batch) } : undefined,
};

/** A padded sequence a document, seen without the others. */
export const separate: TextLayout = {
  course(text, options) {
    const { context, batch, accumulate, seed } = options;
    const sequences = documentSequences(text, context);
    const count = sequences.lengths.length;
    const pass = sequences.learned.reduce((n, learned) => n + learned, 0);
    const perStep = (pass / count) * batch * accumulate;
    const steps = stepsOf(pass, perStep, options);
    const batches = new SupervisedBatches(sequences, batch, accumulate, steps, context, seed);
    return {
      steps,
      tokensPerStep: Math.round(perStep),
      epochsPerStep: (batch * accumulate) / count,
      batches: (step) => batches.batches(step),
      sequences,
    };
  },
  evaluation(text, context, batch) {
    const sequences = documentSequences(text, context);
    if (sequences.lengths.length === 0) return undefined;
    const batches = new SupervisedBatches(sequences, batch, 1, 0, context, 0);
    return { batches: () => batches.evaluation(), sequences };
  },
};

const stepsOf = (pass: number, perStep: number, { tokens, epochs, maxSteps }: CourseOptions) =>
  Math.min(maxSteps, Math.max(1, Math.ceil((tokens ?? epochs * pass) / perStep)));
