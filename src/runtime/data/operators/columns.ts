import { columnOf } from '../column-of.ts';
import type { Operator } from '../source.ts';

const fields = [
  'text',
  'prompt',
  'completion',
  'messages',
  'chosen',
  'rejected',
  'margin',
  'answer',
  'label',
  'system',
] as const;

export const columns: Operator = {
  entry: {
    name: 'columns',
    summary: 'which column of the rows is the prompt, the completion, …',
    details:
      'Each `field=column` gives a column of the file the name that stages look for. Other columns stay as they are.',
    example: 'data consult = csv("data/consult.csv") → columns(prompt=问题 completion=回答)',
    options: Object.fromEntries(
      fields.map((field) => [
        field,
        { description: `column that holds the ${field}`, type: 'string' as const },
      ]),
    ),
  },
  needsAll: false,
  async *apply(rows, options) {
    const named = Object.entries(options).map(([field, column]) => [field, String(column)] as const);
    const renamed = new Set(named.map(([, column]) => column));
    for await (const row of rows) {
      const kept = Object.entries(row.value).filter(([name]) => !renamed.has(name));
      const given = named.map(([field, column]) => [field, columnOf(row, column)] as const);
      yield { ...row, value: Object.fromEntries([...kept, ...given]) };
    }
  },
};
