/** What `ppo` asks, and what it shows of the answers. */
import { promptOf } from '../../data/shapes.ts';
import { type Policy, type StageContext, StageError } from '../stage.ts';
import { encodeQuestion } from './examples.ts';
import { OverlongRows } from './overlong-rows.ts';
import type { Rollout } from './ppo-update.ts';
import { unmarked } from './stored-pairs.ts';
import { type StoredSequences, sequencesFor } from './stored-sequences.ts';

/** Prompts that leave room for an answer; `overlong` decides about the others, and what it did is said. */
export async function readPrompts(context: StageContext, policy: Policy): Promise<StoredSequences> {
  const room = policy.family.shape(policy.config).context - Number(context.job.options.max_new_tokens);
  const prompts = sequencesFor(context, policy.tokenizer);
  let dropped = 0;
  let cut = 0;
  let rows = 0;
  const overlong = new OverlongRows();
  for await (const row of context.rows('prompts', 'train')) {
    rows++;
    const prompt = encodeQuestion(promptOf(row), policy);
    if (prompt.length <= room && prompt.length > 0) prompts.add(unmarked(prompt));
    else if (prompt.length === 0)
      throw new StageError('bad-row', 'the prompt is empty', {
        file: row.file,
        line: row.line,
        option: 'prompts',
      });
    else if (context.job.options.overlong === 'drop') dropped++;
    else if (context.job.options.overlong === 'truncate' && room > 0) {
      prompts.add(unmarked(prompt.slice(-room)));
      cut++;
    } else
      overlong.add(row, prompt.length, {
        message: `the prompt has ${prompt.length} tokens; with ${context.job.options.max_new_tokens} new ones it does not fit the context`,
        option: 'max_new_tokens',
        help: ['lower `max_new_tokens`, or leave such prompts out with `overlong=drop`'],
      });
  }
  overlong.refuse(rows);
  if (prompts.count === 0)
    throw new StageError('too-few-rows', 'there are no prompts', { option: 'prompts' });
  context.message(
    dropped + cut > 0 ? 'warning' : 'info',
    `${prompts.count} prompts${dropped + cut > 0 ? `; ${dropped} dropped, ${cut} cut at their start` : ''}`,
  );
  return prompts;
}

/** The first few episodes of an update. */
export function showSamples(
  context: StageContext,
  step: number,
  { tokenizer }: Policy,
  rollout: Rollout,
): void {
  const shown = rollout.episodes.slice(0, 4).map((episode, i) => ({
    prompt: tokenizer.decode(episode.prompt),
    completion: tokenizer.decode(episode.response),
    reward: rollout.scores[i]!,
  }));
  context.samples(step, shown);
}
