import { nearest } from '../../../compiler/diagnostics/nearest.ts';
import type { Row } from '../row.ts';

/** What columns are called that hold a field, in lower case. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  text: ['content', 'body', 'document', 'article', '文本', '内容', '正文'],
  prompt: [
    'question',
    'query',
    'instruction',
    'input',
    'ask',
    'user',
    '问题',
    '提问',
    '问',
    '指令',
    '输入',
    '题目',
  ],
  completion: ['answer', 'response', 'output', 'reply', 'assistant', '回答', '答案', '答', '回复', '输出'],
  chosen: ['good', 'preferred', 'accepted', 'better', 'response_chosen', 'chosen_response', '好', '接受'],
  rejected: ['bad', 'worse', 'refused', 'response_rejected', 'rejected_response', '差', '拒绝'],
};

/**
 * `prompt=问题 completion=回答`: which columns of a row could be the fields that it lacks, by their names and, where those
 * say nothing, in the order of those that hold text. Undefined where there are not enough.
 */
export function guessMapping(row: Row, fields: readonly string[]): string | undefined {
  const left = Object.keys(row.value).filter((column) => typeof row.value[column] === 'string');
  const take = (column: string | undefined): string | undefined => {
    if (column !== undefined) left.splice(left.indexOf(column), 1);
    return column;
  };
  const byName = fields.map((field) => take(nearest(field, left) ?? synonymOf(field, left)));
  const guessed = byName.map((column) => column ?? take(left[0]));
  if (guessed.some((column) => column === undefined)) return undefined;
  return fields.map((field, i) => `${field}=${guessed[i]}`).join(' ');
}

function synonymOf(field: string, columns: readonly string[]): string | undefined {
  const names = synonyms[field] ?? [];
  return columns.find((column) => names.includes(column.toLowerCase().trim()));
}
