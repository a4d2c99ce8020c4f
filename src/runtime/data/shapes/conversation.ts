import { badRow, DataError } from '../data-error.ts';
import { type Message, messagesOf } from '../messages.ts';
import type { Row } from '../row.ts';
import { systemColumn } from './question-answer.ts';
import { column, has, type Shape } from './shape.ts';

const columns = ['messages', 'conversations', 'conversation'];

/** The column of the turns; `messages` goes before the others. @throws DataError `ambiguous-columns` */
export function turnsColumn(row: Row): string | undefined {
  const found = columns.filter((name) => has(row, name));
  if (found.length <= 1 || found[0] === 'messages') return found[0];
  throw new DataError('ambiguous-columns', {
    file: row.file,
    line: row.line,
    field: 'messages',
    columns: found,
    has: Object.keys(row.value),
    mapping: `messages=${found[0]}`,
  });
}

/** All turns; a system prompt in a column of its own stands before them. @throws DataError `bad-row` */
export function turnsOf(row: Row): readonly Message[] {
  refuseTools(row);
  const messages = messagesOf(row, turnsColumn(row)!);
  const named = systemColumn(row);
  const system = named === undefined ? '' : String(row.value[named]);
  if (system === '' || messages[0]!.role === 'system') return messages;
  return [{ role: 'system', content: system }, ...messages];
}

const isShareGpt = (row: Row) => {
  const turns = row.value[turnsColumn(row)!];
  return Array.isArray(turns) && typeof turns[0] === 'object' && turns[0] !== null && 'from' in turns[0];
};

const mapping = (row: Row) => ({ messages: column(systemColumn(row), turnsColumn(row)) });

export const shareGpt: Shape = {
  name: 'ShareGPT',
  columns: 'conversations',
  mapping: (row) => (turnsColumn(row) !== undefined && isShareGpt(row) ? mapping(row) : undefined),
  read: (row) => ({ messages: turnsOf(row) }),
};

export const chat: Shape = {
  name: 'messages',
  columns: 'messages',
  mapping: (row) => (turnsColumn(row) === undefined ? undefined : mapping(row)),
  read: (row) => ({ messages: turnsOf(row) }),
};

/** A list of tools is for the template, which is given messages alone. */
function refuseTools(row: Row): void {
  const { tools } = row.value;
  const none = Array.isArray(tools)
    ? tools.length === 0
    : typeof tools !== 'string' || /^\s*(\[\s*\])?\s*$/.test(tools);
  if (!none)
    throw badRow(
      row,
      'the row has `tools`, and chat templates are given its messages alone; describe them in a system message',
    );
}
