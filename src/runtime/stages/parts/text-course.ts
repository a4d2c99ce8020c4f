/** How documents become the batches of pretraining: packed end to end, or each on its own. */
import type { Row } from '../../data/row.ts';
import type { Batch } from '../stage.ts';
import type { Example } from './examples.ts';
import { SupervisedBatches } from './padded-batches.ts';
import { evaluationBatches, TokenStream, TrainingWindows, windowsIn } from './windows.ts';

/** A document as its tokens, the end token last; `row` is where it began. */
export interface Document {
  readonly ids: Int32Array;
  readonly row: Row;
}

export interface TextCourse {
  readonly steps: number;
  /** Tokens that carry loss in a step; a mean where steps differ. */
  readonly tokensPerStep: number;
  /** Passes over the text that one step is. */
  readonly epochsPerStep: number;
  batches(step: number): Batch[];
  /** Held-out text, every token but the first predicted once; empty where there is none. */
  readonly evaluation: readonly Batch[];
}

export interface CourseOptions {
  /** Tokens the model holds. */
  readonly context: number;
  readonly batch: number;
  readonly accumulate: number;
  readonly seed: number;
  readonly epochs: number;
  /** Instead of epochs. */
  readonly tokens: number | undefined;
  readonly maxSteps: number;
}

const stepsFor = (tokens: number, perStep: number, most: number) =>
  Math.min(most, Math.max(1, Math.ceil(tokens / perStep)));

function streamOf(documents: readonly Document[]): Int32Array {
  const stream = new TokenStream();
  for (const { ids } of documents) stream.append(ids);
  return stream.tokens;
}

/** Windows of `context` predictions over all documents end to end: a document is seen after the ones before it. */
export function packedCourse(
  training: readonly Document[],
  heldOut: readonly Document[],
  options: CourseOptions,
): TextCourse {
  const { context, batch, accumulate, seed } = options;
  const stream = streamOf(training);
  const pass = windowsIn(stream.length, context) * context;
  const perStep = batch * accumulate * context;
  const windows = new TrainingWindows(stream, context, batch, accumulate, seed);
  return {
    steps: stepsFor(options.tokens ?? options.epochs * pass, perStep, options.maxSteps),
    tokensPerStep: perStep,
    epochsPerStep: perStep / pass,
    batches: (step) => windows.batches(step),
    evaluation: packedEvaluation(heldOut, context, batch),
  };
}

export function packedEvaluation(documents: readonly Document[], context: number, batch: number): Batch[] {
  const stream = streamOf(documents);
  return stream.length > 1 ? evaluationBatches(stream, context, batch) : [];
}

/** Every document a padded sequence of its own, seen without the others. */
export function separateCourse(
  training: readonly Document[],
  heldOut: readonly Document[],
  options: CourseOptions,
): TextCourse {
  const { context, batch, accumulate, seed } = options;
  const pieces = training.flatMap((document) => cut(document, context));
  const pass = pieces.reduce((n, { ids }) => n + ids.length - 1, 0);
  const perStep = (pass / pieces.length) * batch * accumulate;
  const steps = stepsFor(options.tokens ?? options.epochs * pass, perStep, options.maxSteps);
  const batches = new SupervisedBatches(pieces, batch, accumulate, steps, context, seed);
  return {
    steps,
    tokensPerStep: Math.round(perStep),
    epochsPerStep: (batch * accumulate) / pieces.length,
    batches: (step) => batches.batches(step),
    evaluation: separateEvaluation(heldOut, context, batch),
  };
}

export function separateEvaluation(documents: readonly Document[], context: number, batch: number): Batch[] {
  const pieces = documents.flatMap((document) => cut(document, context));
  return pieces.length > 0 ? new SupervisedBatches(pieces, batch, 1, 0, context, 0).evaluation() : [];
}

/** Pieces of at most `context` tokens; each begins with the last token of the one before, so that none goes unpredicted. */
function cut({ ids, row }: Document, context: number): Example[] {
  const pieces: Example[] = [];
  for (let start = 0; start + 1 < ids.length; start += context - 1) {
    const piece = ids.subarray(start, start + context);
    pieces.push({ ids: piece, supervised: new Uint8Array(piece.length).fill(1), row });
  }
  return pieces;
}
