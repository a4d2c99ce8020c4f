/**
 * Alpaca: `instruction`, `input`, `output` (https://github.com/tatsu-lab/stanford_alpaca). Without a system prompt or a
 * history the prompt is the text that the authors trained with; with them (as LLaMA-Factory writes such data) it is a chat
 * whose user says the instruction and, on the next line, the input.
 */
import { badRow } from '../data-error.ts';
import type { Message } from '../messages.ts';
import type { Row } from '../row.ts';
import { systemColumn } from './question-answer.ts';
import { column, has, type Origin, type Shape, textIn } from './shape.ts';

const BELOW = 'Below is an instruction that describes a task';
const WRITE = 'Write a response that appropriately completes the request.';

/** The authors' prompts, for an instruction alone and for one with an input. */
function alpacaPrompt(instruction: string, input: string): string {
  return input === ''
    ? `${BELOW}. ${WRITE}\n\n### Instruction:\n${instruction}\n\n### Response:\n`
    : `${BELOW}, paired with an input that provides further context. ${WRITE}\n\n### Instruction:\n${instruction}\n\n### Input:\n${input}\n\n### Response:\n`;
}

/** Columns whose text goes on the instruction: Alpaca's, and that of Dolly. */
const inputs = ['input', 'context'];
const answers = ['output', 'response'];
const inputColumn = (row: Row) => inputs.find((name) => typeof row.value[name] === 'string');
const answerColumn = (row: Row) => answers.find((name) => has(row, name));
const isChat = (row: Row) => systemColumn(row) !== undefined || 'history' in row.value;

/** Whether a row has Alpaca's instruction; an answer may be beside it or not. */
export const isInstruction = (row: Row): boolean =>
  typeof row.value.instruction === 'string' &&
  (inputColumn(row) !== undefined || answerColumn(row) === 'output');

/** Where the prompt comes from. */
export function instructionOrigin(row: Row): Origin {
  const history = 'history' in row.value ? 'history' : undefined;
  const { columns } = column(systemColumn(row), history, 'instruction', inputColumn(row));
  return { columns, how: isChat(row) ? 'as a chat' : "in Alpaca's words" };
}

/** The prompt of an Alpaca row: text, or messages where it has a system prompt or a history. */
export function instructionPrompt(row: Row): string | readonly Message[] {
  const input = inputColumn(row);
  const [instruction, more] = [textIn(row, 'instruction'), input === undefined ? '' : textIn(row, input)];
  if (!isChat(row)) return alpacaPrompt(instruction, more);
  const system = systemColumn(row);
  return [
    ...(system === undefined || row.value[system] === ''
      ? []
      : [{ role: 'system' as const, content: textIn(row, system) }]),
    ...historyOf(row),
    { role: 'user', content: more === '' ? instruction : `${instruction}\n${more}` },
  ];
}

export const alpaca: Shape = {
  name: 'Alpaca',
  columns: 'instruction input output',
  mapping(row) {
    const answer = answerColumn(row);
    if (!isInstruction(row) || answer === undefined) return undefined;
    return { prompt: instructionOrigin(row), completion: column(answer) };
  },
  read(row) {
    const prompt = instructionPrompt(row);
    const answer = textIn(row, answerColumn(row)!);
    return {
      prompt,
      completion: typeof prompt === 'string' ? answer : [{ role: 'assistant', content: answer }],
    };
  },
};

/** Earlier rounds: `[[question, answer], …]`. */
function historyOf(row: Row): Message[] {
  const { history } = row.value;
  if (history === undefined || history === null || history === '') return [];
  const rounds: unknown[] = Array.isArray(history) ? history : [history];
  return rounds.flatMap((round, i) => {
    const [question, answer, more] = Array.isArray(round) ? (round as unknown[]) : [];
    if (typeof question !== 'string' || typeof answer !== 'string' || more !== undefined)
      throw badRow(row, `round ${i + 1} of \`history\` is not a question and an answer`);
    return [
      { role: 'user' as const, content: question },
      { role: 'assistant' as const, content: answer },
    ];
  });
}
