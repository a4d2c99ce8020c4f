import { badRow, DataError } from '../data-error.ts';
import { type Message, messageOf, messagesOf } from '../messages.ts';
import type { Row } from '../row.ts';
import { instructionOrigin, instructionPrompt, isInstruction } from './alpaca.ts';
import { turnsColumn, turnsOf } from './conversation.ts';
import { questionColumn, systemColumn, withSystem } from './question-answer.ts';
import { column, has, type Origin, type Shape, textIn } from './shape.ts';
import { sharedText, sharedTurns } from './shared-beginning.ts';

type Answer = string | readonly Message[];
type Prompt = string | readonly Message[];

/** A prompt that is written apart, and where. */
interface Written {
  readonly from: Origin;
  read(): Prompt;
}

const isPreference = (row: Row) => has(row, 'chosen') && has(row, 'rejected');

/** `prompt`, or what stands for it; undefined where both answers begin with it. */
function writtenPrompt(row: Row): Written | undefined {
  const { prompt } = row.value;
  if (has(row, 'prompt')) {
    // Text beside whole conversations: they begin with it.
    if (typeof prompt === 'string' && beginsWithQuestion(row)) return undefined;
    return {
      from: column('prompt'),
      read: () => (Array.isArray(prompt) ? messagesOf(row, 'prompt') : textIn(row, 'prompt')),
    };
  }
  if (isInstruction(row) || ('history' in row.value && has(row, 'instruction')))
    return { from: instructionOrigin(row), read: () => instructionPrompt(row) };
  const question = questionColumn(row);
  if (question !== undefined) {
    const system = systemColumn(row);
    const read = () =>
      system === undefined ? textIn(row, question) : withSystem(textIn(row, system), textIn(row, question));
    return { from: column(system, question), read };
  }
  const turns = beginsWithQuestion(row) ? undefined : turnsColumn(row);
  return turns === undefined ? undefined : { from: column(turns), read: () => turnsOf(row) };
}

function beginsWithQuestion(row: Row): boolean {
  const { chosen } = row.value;
  if (!Array.isArray(chosen) || chosen.length < 2) return false;
  const first = messageOf(row, 'message 1 of `chosen`', chosen[0]);
  return first.role !== 'assistant';
}

export const preference: Shape = {
  name: 'preference',
  columns: 'chosen rejected, and prompt',
  mapping(row) {
    if (!isPreference(row)) return undefined;
    const shared = { columns: ['chosen', 'rejected'], how: 'what both begin with' };
    const prompt = writtenPrompt(row)?.from ?? shared;
    return { prompt, chosen: column('chosen'), rejected: column('rejected') };
  },
  read(row) {
    const [chosen, rejected] = [answerIn(row, 'chosen'), answerIn(row, 'rejected')];
    if ((typeof chosen === 'string') !== (typeof rejected === 'string')) {
      const [list, text] = typeof chosen === 'string' ? ['rejected', 'chosen'] : ['chosen', 'rejected'];
      throw badRow(
        row,
        `\`${list}\` is a list of messages and \`${text}\` is text: both must be text, or both messages`,
      );
    }
    const written = writtenPrompt(row);
    if (written !== undefined) return together(row, written, chosen, rejected);
    if (typeof chosen === 'string')
      return parted(row, chosen, rejected as string, sharedText(chosen, rejected as string));
    return parted(
      row,
      chosen,
      rejected as readonly Message[],
      sharedTurns(chosen, rejected as readonly Message[]),
    );
  },
};

/** Text, turns, or one turn by itself. */
function answerIn(row: Row, field: string): Answer {
  const value = row.value[field];
  if (Array.isArray(value)) return messagesOf(row, field);
  if (typeof value === 'object') return [messageOf(row, `\`${field}\``, value)];
  return textIn(row, field);
}

/** Prompt and answers as text, or all as turns. A chat's answers may be text, and text may be asked of turns. */
function together(row: Row, { read }: Written, chosen: Answer, rejected: Answer) {
  const prompt = read();
  if (typeof prompt === 'string' && typeof chosen === 'string') return { prompt, chosen, rejected };
  if (Array.isArray(row.value.prompt) && typeof chosen === 'string')
    throw badRow(
      row,
      '`prompt` is a list of messages and `chosen` is text: both must be text, or both messages',
    );
  const turns = (answer: Answer): readonly Message[] =>
    typeof answer === 'string' ? [{ role: 'assistant', content: answer }] : answer;
  const asked: readonly Message[] = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
  return { prompt: asked, chosen: turns(chosen), rejected: turns(rejected) };
}

function parted<A extends Answer>(row: Row, chosen: A, rejected: A, shared: number) {
  if (shared > 0)
    return {
      prompt: chosen.slice(0, shared),
      chosen: chosen.slice(shared),
      rejected: rejected.slice(shared),
    };
  throw new DataError('missing-field', {
    file: row.file,
    line: row.line,
    fields: ['prompt'],
    has: Object.keys(row.value),
    rows: 'a `prompt`, or `chosen` and `rejected` that begin with the same prompt; these two do not',
  });
}
