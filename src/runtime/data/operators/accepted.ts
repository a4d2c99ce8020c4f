import { badRow } from '../data-error.ts';
import { filterRows } from '../row.ts';
import { labelOf } from '../shapes/unpaired.ts';
import type { Operator } from '../source.ts';

export const accepted: Operator = {
  entry: {
    name: 'accepted',
    summary: 'only the answers whose `label` is true',
    details:
      'For rows with `prompt`, `completion` (or `messages`) and `label`: answers that were judged one by one. A row without a label is an error.',
    example: 'data good = jsonl("data/judged.jsonl") → accepted()',
    options: {},
  },
  needsAll: false,
  apply: (rows) =>
    filterRows(rows, (row) => {
      const label = labelOf(row);
      if (label === undefined) throw badRow(row, 'the row has no `label` that is true or false');
      return label;
    }),
};
