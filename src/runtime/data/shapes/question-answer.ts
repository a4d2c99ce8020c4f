import { DataError } from '../data-error.ts';
import type { Message } from '../messages.ts';
import type { Row } from '../row.ts';
import { column, has, type Shape, textIn } from './shape.ts';

const questions = ['question', 'query', 'problem', 'instruction', 'input'];
const answers = ['response', 'output', 'solution', 'completion', 'answer'];
/** Columns of a system prompt. */
const systems = ['system', 'system_prompt'];

/** The column of the question: TRL's `prompt`, else one that is called so. @throws DataError `ambiguous-columns` where there are several */
export function questionColumn(row: Row): string | undefined {
  return has(row, 'prompt') ? 'prompt' : only(row, 'prompt', questions);
}

/** `answer` beside another one, or beside `prompt`, is the short result that `eval` compares with. */
function answerColumn(row: Row): string | undefined {
  const found = answers.filter((name) => has(row, name));
  const isResult = found.length > 1 || has(row, 'prompt');
  return only(row, 'completion', isResult ? found.filter((name) => name !== 'answer') : found);
}

export const questionAnswer: Shape = {
  name: 'question and answer',
  columns: 'question answer, or the like',
  mapping(row) {
    if (!['prompt', ...questions].some((name) => has(row, name))) return undefined;
    const answer = answerColumn(row);
    if (answer === undefined) return undefined;
    return { prompt: column(systemColumn(row), questionColumn(row)), completion: column(answer) };
  },
  read(row) {
    const answer = textIn(row, answerColumn(row)!);
    const system = systemColumn(row);
    const question = textIn(row, questionColumn(row)!);
    return system === undefined
      ? { prompt: question, completion: answer }
      : {
          prompt: withSystem(textIn(row, system), question),
          completion: [{ role: 'assistant', content: answer }],
        };
  },
};

/** A column of system prompts, even where this row has none: then all rows are chats. */
export const systemColumn = ({ value }: Row): string | undefined =>
  systems.find((name) => typeof value[name] === 'string');

export function withSystem(system: string, question: string): readonly Message[] {
  const user = { role: 'user', content: question } as const;
  return system === '' ? [user] : [{ role: 'system', content: system }, user];
}

function only(row: Row, field: string, columns: readonly string[]): string | undefined {
  const found = columns.filter((name) => has(row, name));
  if (found.length <= 1) return found[0];
  const [q, a] = [questions, answers].map((names) => names.find((name) => has(row, name)));
  const mapping = `prompt=${q ?? '…'} completion=${a ?? '…'}`;
  throw new DataError('ambiguous-columns', {
    file: row.file,
    line: row.line,
    field,
    columns: found,
    has: Object.keys(row.value),
    mapping,
  });
}
