/** Whether a model that was written, opened again, is the model in the run: the same text and tokens, and near logits. */
import { words } from '../../compiler/diagnostics/words.ts';
import { matmul, parameter, program } from '../programs/builder.ts';
import type { Tensor } from '../programs/ops.ts';
import type { Program } from '../programs/program.ts';
import { LazyWeights } from '../stages/lazy-weights.ts';
import { hiddenRows } from '../stages/parts/language-model-program.ts';
import { logitsProgram } from '../stages/parts/logits-program.ts';
import { SCORE } from '../stages/parts/reward-programs.ts';
import { type Policy, type Reward, type StageContext, StageError } from '../stages/stage.ts';
import { type Conversation, comparedIds, conversationFor } from './conversation.ts';
import { type Difference, differenceOf } from './logit-difference.ts';
import { EXACT } from './parity-tolerances.ts';
import type { TrainedAnswers } from './trained-answers.ts';

/** A model that answers: logits, or a reward, for every token of a sequence (T, V or 1). */
export type Answers = (ids: Int32Array) => Promise<Float32Array>;

export interface Written {
  /** For messages: `model.safetensors`. */
  readonly name: string;
  /** Its conversation; undefined where the files hold no tokenizer. */
  readonly conversation: Conversation | undefined;
  readonly answers: Answers;
  /** Largest difference of a logit, as a part of the logits' spread. */
  readonly tolerance: number;
}

export interface Parity extends Difference {
  readonly tokens: number;
  readonly tolerance: number;
}

/** Errors: StageError `export-differs`, saying where they part. */
export async function requireParity(
  model: Policy | Reward,
  answers: Answers,
  written: Written,
): Promise<Parity> {
  const { name, tolerance } = written;
  const expected = conversationFor(model);
  if (written.conversation !== undefined) sameConversation(name, expected, written.conversation);
  const ids = comparedIds(model);
  const [before, after] = [await answers(ids), await written.answers(ids)];
  const found = differenceOf(before, after, ids.length);
  if (found.relative <= tolerance) return { ...found, tokens: ids.length, tolerance };
  throw apart(name, model, found, [before, after], tolerance);
}

/**
 * The model as the store has it, adapters folded in, answers as it did when its training ended.
 * Errors: StageError `export-differs`.
 */
export async function requireTrained(
  model: Policy | Reward,
  answers: Answers,
  { ids, logits }: TrainedAnswers,
): Promise<number> {
  const name = 'the model in the store';
  const now = comparedIds(model);
  sameIds(name, now, ids);
  const [kept, width] = logits.shape as [number, number];
  const before = logits.data as Float32Array;
  const after = (await answers(now)).slice((now.length - kept) * width);
  const found = differenceOf(before, after, kept);
  if (found.relative <= EXACT) return found.relative;
  const position = now.length - kept + found.position;
  throw apart(name, model, { ...found, position }, [before, after], EXACT);
}

function apart(
  name: string,
  model: Policy | Reward,
  found: Difference,
  [before, after]: readonly [Float32Array, Float32Array],
  tolerance: number,
): StageError {
  const { vocabularySize } = model.family.shape(model.config);
  const what = 'score' in model ? 'reward' : `logit of token ${found.at % vocabularySize}`;
  return differs(
    name,
    `at position ${found.position} the ${what} is ${show(after[found.at]!)}, not ${show(before[found.at]!)}`,
    [
      `the largest difference is ${show(found.relative)} of the spread of the logits; up to ${tolerance} is taken for this number format`,
    ],
    tolerance > EXACT,
  );
}

function sameConversation(name: string, expected: Conversation, found: Conversation): void {
  const { length } = expected.text;
  if (found.text !== expected.text) {
    let at = 0;
    while (at < length && found.text[at] === expected.text[at]) at++;
    const around = (text: string) => JSON.stringify(text.slice(at, at + 24));
    throw differs(
      name,
      `its chat template writes ${around(found.text)} where the run's writes ${around(expected.text)}`,
      [`the first differing character is number ${at + 1} of ${length}`],
    );
  }
  sameIds(name, found.ids, expected.ids);
}

function sameIds(name: string, found: Int32Array, expected: Int32Array): void {
  const at = expected.findIndex((id, i) => id !== found[i]);
  if (at < 0 && found.length === expected.length) return;
  const place = at < 0 ? expected.length : at;
  throw differs(
    name,
    `token ${place + 1} of the same text is ${found[place] ?? 'missing'}, not ${expected[place] ?? 'the end'}`,
    [`tokens: ${found.length}, in the run ${expected.length}`],
  );
}

function differs(written: string, where: string, notes: readonly string[], coarse = false): StageError {
  const said = words['export-differs']({ written, where, notes, coarse });
  return new StageError('export-differs', said.message, { notes: said.notes ?? [], help: said.help ?? [] });
}

const show = (value: number): string => String(Number(value.toPrecision(3)));

type Answering = Pick<Policy, 'family' | 'config' | 'weights'> & { readonly score?: Tensor };

/** A model of ours, asked by the run's engine; its weights are not kept. */
export function answersOf(model: Answering, load: StageContext['load']): Answers {
  return async (ids) => {
    const { weights, score } = model;
    const unkept = weights instanceof LazyWeights ? weights.unkept() : weights;
    const executor = await load(
      answersProgram(model, ids.length, score !== undefined),
      score === undefined ? unkept : withHead(unkept, score),
    );
    try {
      const shape = [1, ids.length];
      const outputs = await executor.run(new Map([['ids', { dtype: 'i32', shape, data: ids }]]));
      return outputs.get('logits')!.data as Float32Array;
    } finally {
      await executor.dispose();
    }
  };
}

/** Read when it is asked for, like the others. */
function withHead(weights: ReadonlyMap<string, Tensor>, score: Tensor): ReadonlyMap<string, Tensor> {
  const view = new Map<string, Tensor>();
  view.get = (name) => (name === SCORE ? score : weights.get(name));
  return view;
}

/** Logits at every position, or rewards: `ids` i32 (1, T) → `logits` f32 (T, V or 1). */
export function answersProgram(
  { family, config }: Pick<Policy, 'family' | 'config'>,
  length: number,
  isReward: boolean,
): Program {
  const spec = { family, config, batch: 1, length };
  if (!isReward) return logitsProgram(spec);
  const head = parameter(SCORE, [1, family.shape(config).width]);
  return program('rewards', { logits: matmul(hiddenRows(spec), head, { transposeB: true }) });
}
