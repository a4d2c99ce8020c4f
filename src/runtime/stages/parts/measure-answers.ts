/** Greedy answers to the rows' prompts, compared with what was expected, scored where a reward model exists. */
import type { Row } from '../../data/row.ts';
import { promptCompletionOf, promptOf } from '../../data/shapes.ts';
import { greedySampler } from '../../generation/rollout.ts';
import type { Metrics, Sample } from '../../run/events.ts';
import type { Policy, StageContext } from '../stage.ts';
import { answerOf, encodeQuestion, noRowsLeft } from './examples.ts';
import { judge } from './judge.ts';
import { OverlongRows } from './overlong-rows.ts';
import { joined, longestOf } from './sequences.ts';

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

/** `compare`: rows have an answer; without it only the reward is measured. */
export async function measureAnswers(
  context: StageContext,
  policy: Policy,
  rows: readonly Row[],
  compare: boolean,
): Promise<Metrics> {
  const { match, samples } = context.job.options;
  const answered = await answerAll(context, policy, rows);
  const expected = answered.map(({ row }) => (compare ? answerOf(row, promptCompletionOf(row)) : undefined));
  const exact = answered.map(({ text }, i) => expected[i] !== undefined && fold(text) === fold(expected[i]));
  const contains = answered.map(
    ({ text }, i) => expected[i] !== undefined && fold(text).includes(fold(expected[i])),
  );
  const correct = match === 'exact' ? exact : contains;
  const kept: Sample[] = answered.slice(0, Number(samples)).map(({ prompt, text }, i) => ({
    prompt: policy.tokenizer.decode(prompt),
    completion: text,
    ...(expected[i] !== undefined && { expected: expected[i], correct: correct[i]! }),
  }));
  context.samples(0, kept);
  const share = (hits: readonly boolean[]) => hits.filter(Boolean).length / hits.length;
  const reward = await meanReward(context, answered);
  return {
    ...(compare && { exact: share(exact), contains: share(contains), accuracy: share(correct) }),
    ...(reward !== undefined && { mean_reward: reward }),
  };
}

async function answerAll(context: StageContext, policy: Policy, rows: readonly Row[]): Promise<Answered[]> {
  const { family, config, tokenizer, stop } = policy;
  const maxNewTokens = Number(context.job.options.max_new_tokens);
  const longest = family.shape(config).context;
  const overlong = new OverlongRows();
  const questions = rows.flatMap((row) =>
    fitQuestion(context, { row, prompt: encodeQuestion(promptOf(row), policy) }, longest, overlong),
  );
  overlong.refuse(rows.length);
  if (questions.length === 0) throw noRowsLeft();
  if (questions.length < rows.length)
    context.message(
      'warning',
      `${rows.length - questions.length} prompts left out, being too long to answer`,
    );
  const size = Number(context.job.options.batch);
  const sampler = await greedySampler({
    family,
    config,
    load: (program) => context.load(program),
    batch: size,
    maxPrompt: longestOf(questions.map(({ prompt }) => prompt)),
    maxNewTokens,
    stop,
    pad: tokenizer.pad,
  });
  const answered: Answered[] = [];
  for (let first = 0; first < questions.length; first += size) {
    context.checkStop();
    const part = questions.slice(first, first + size);
    const responses = await sampler.sample(
      part.map(({ prompt }) => prompt),
      policy.weights,
    );
    responses.forEach((response, i) => {
      const ended = stop.includes(response.at(-1)!);
      const text = tokenizer.decode(ended ? response.subarray(0, -1) : response);
      answered.push({ ...part[i]!, response, text });
    });
  }
  return answered;
}

/** A prompt with room for an answer in the context, which ends a long answer; `overlong` decides about the others. */
function fitQuestion(
  { job: { options } }: StageContext,
  { row, prompt }: Question,
  longest: number,
  overlong: OverlongRows,
): Question[] {
  if (prompt.length < longest) return [{ row, prompt }];
  const room = longest - Number(options.max_new_tokens);
  if (options.overlong === 'drop') return [];
  if (options.overlong === 'truncate' && room > 0) return [{ row, prompt: prompt.slice(-room) }];
  overlong.add(row, prompt.length, {
    message: `the prompt has ${prompt.length} tokens; the context of ${longest} has no room for an answer`,
    option: 'overlong',
    help: ['leave such rows out with `overlong=drop`, or train a model with a larger context'],
  });
  return [];
}

async function meanReward(context: StageContext, answered: readonly Answered[]): Promise<number | undefined> {
  const reward = await context.reward();
  if (!reward) return undefined;
  const sequences = answered.map(({ prompt, response }) => joined(prompt, response));
  const length = longestOf(sequences);
  const size = Math.min(Number(context.job.options.batch), sequences.length);
  const scores = await (await judge(context, reward, { size, length }))(sequences);
  return scores.reduce((a, b) => a + b, 0) / scores.length;
}
