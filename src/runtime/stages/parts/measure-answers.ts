/** Greedy answers to the rows' prompts, compared with what was expected, scored where a reward model exists. */
import type { Row } from '../../data/row.ts';
import { promptCompletionOf, promptOf } from '../../data/shapes.ts';
import { greedySampler, type RolloutSampler } from '../../generation/rollout.ts';
import type { Metrics, Sample } from '../../run/events.ts';
import type { Policy, StageContext } from '../stage.ts';
import { answerOf, encodeQuestion, noRowsLeft } from './examples.ts';
import { judge } from './judge.ts';
import type { MeasuredRows } from './measured-rows.ts';
import { OverlongRows } from './overlong-rows.ts';
import { joined } from './sequences.ts';
import { unmarked } from './stored-pairs.ts';
import { longestIn, type StoredSequences, sequencesFor } from './stored-sequences.ts';

/** White space folded, composed characters: how answers are compared. */
const fold = (text: string) => text.normalize('NFC').replace(/\s+/gu, ' ').trim();

interface Question {
  readonly row: Row;
  readonly prompt: Int32Array;
}

interface Answered extends Question {
  readonly response: Int32Array;
  /** Without the token that ended it. */
  readonly text: string;
}

/**
 * `compare`: rows have an answer; without it only the reward is measured. The rows are gone over twice: for how many and how
 * long they are, and again a batch at a time.
 */
export async function measureAnswers(
  context: StageContext,
  policy: Policy,
  rows: MeasuredRows,
  compare: boolean,
): Promise<Metrics> {
  const { match, samples } = context.job.options;
  const sampler = await samplerFor(context, policy, rows);
  const conversations = sequencesFor(context, policy.tokenizer);
  const kept: Sample[] = [];
  const hits = { exact: 0, contains: 0 };
  for await (const { row, prompt, response, text } of answers(context, policy, rows, sampler)) {
    const expected = compare ? answerOf(row, promptCompletionOf(row)) : undefined;
    const exact = expected !== undefined && fold(text) === fold(expected);
    const contains = expected !== undefined && fold(text).includes(fold(expected));
    if (exact) hits.exact++;
    if (contains) hits.contains++;
    conversations.add(unmarked(joined(prompt, response)));
    if (kept.length < Number(samples))
      kept.push({
        prompt: policy.tokenizer.decode(prompt),
        completion: text,
        ...(expected !== undefined && { expected, correct: match === 'exact' ? exact : contains }),
      });
  }
  context.samples(0, kept);
  const exact = hits.exact / conversations.count;
  const contains = hits.contains / conversations.count;
  const reward = await meanReward(context, conversations);
  return {
    ...(compare && { exact, contains, accuracy: match === 'exact' ? exact : contains }),
    ...(reward !== undefined && { mean_reward: reward }),
  };
}

/** For the prompts that there is room to answer. Errors: StageError where there is none, or `overlong` refuses others. */
async function samplerFor(
  context: StageContext,
  policy: Policy,
  rows: MeasuredRows,
): Promise<RolloutSampler> {
  const { family, config, tokenizer, stop } = policy;
  const overlong = new OverlongRows();
  let [count, maxPrompt] = [0, 0];
  for await (const { prompt } of questions(context, policy, rows, overlong)) {
    count++;
    maxPrompt = Math.max(maxPrompt, prompt.length);
  }
  overlong.refuse(rows.count);
  if (count === 0) throw noRowsLeft();
  const lost = rows.count - count;
  if (lost > 0) context.message('warning', `${lost} prompts left out, being too long to answer`);
  const { batch, max_new_tokens } = context.job.options;
  return greedySampler({
    family,
    config,
    load: (program) => context.load(program),
    batch: Number(batch),
    maxPrompt,
    maxNewTokens: Number(max_new_tokens),
    stop,
    pad: tokenizer.pad,
  });
}

async function* answers(
  context: StageContext,
  policy: Policy,
  rows: MeasuredRows,
  sampler: RolloutSampler,
): AsyncGenerator<Answered> {
  const { tokenizer, stop, weights } = policy;
  async function* answered(part: readonly Question[]): AsyncGenerator<Answered> {
    context.checkStop();
    const responses = await sampler.sample(
      part.map(({ prompt }) => prompt),
      weights,
    );
    for (const [i, response] of responses.entries()) {
      const ended = stop.includes(response.at(-1)!);
      const text = tokenizer.decode(ended ? response.subarray(0, -1) : response);
      yield { ...part[i]!, response, text };
    }
  }
  let part: Question[] = [];
  for await (const question of questions(context, policy, rows, new OverlongRows())) {
    part.push(question);
    if (part.length < Number(context.job.options.batch)) continue;
    yield* answered(part);
    part = [];
  }
  if (part.length > 0) yield* answered(part);
}

/** Prompts with room for an answer in the context, which ends a long answer; `overlong` decides about the others. */
async function* questions(
  { job: { options } }: StageContext,
  policy: Policy,
  rows: MeasuredRows,
  overlong: OverlongRows,
): AsyncGenerator<Question> {
  const longest = policy.family.shape(policy.config).context;
  const room = longest - Number(options.max_new_tokens);
  for await (const row of rows) {
    const prompt = encodeQuestion(promptOf(row), policy);
    if (prompt.length < longest) yield { row, prompt };
    else if (options.overlong === 'drop') continue;
    else if (options.overlong === 'truncate' && room > 0) yield { row, prompt: prompt.slice(-room) };
    else
      overlong.add(row, prompt.length, {
        message: `the prompt has ${prompt.length} tokens; the context of ${longest} has no room for an answer`,
        option: 'overlong',
        help: ['leave such rows out with `overlong=drop`, or train a model with a larger context'],
      });
  }
}

async function meanReward(context: StageContext, rows: StoredSequences): Promise<number | undefined> {
  const reward = await context.reward();
  if (!reward) return undefined;
  const size = Math.min(Number(context.job.options.batch), rows.count);
  const score = await judge(context, reward, { size, length: longestIn(rows) });
  let sum = 0;
  for (let first = 0; first < rows.count; first += size) {
    context.checkStop();
    const count = Math.min(size, rows.count - first);
    for (const one of await score(Array.from({ length: count }, (_, i) => rows.ids(first + i)))) sum += one;
  }
  return sum / rows.count;
}
