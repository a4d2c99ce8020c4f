import { columnOf } from '../column-of.ts';
import { defaultTestShare, sideOf } from '../row-hash.ts';
import type { Operator } from '../source.ts';

export const split: Operator = {
  entry: {
    name: 'split',
    summary: 'how many rows are held out for testing, and what stays together',
    details: `The side of a row is decided by a hash of its value, or of its column \`by\`: it never changes when other rows come or
go, and rows with the same \`by\` are all on one side. Without \`split\` every data item holds out 5%.`,
    example: 'data visits = jsonl("data/visits.jsonl") → split(test=10% by=patient_id)',
    options: {
      test: {
        description: 'share of rows held out',
        type: 'number',
        unit: 'ratio',
        minimum: 0,
        maximum: 1,
        default: defaultTestShare,
      },
      by: { description: 'column whose value decides', type: 'string', defaultNote: 'the whole row' },
    },
  },
  needsAll: true,
  async *apply(rows, { test = defaultTestShare, by }) {
    for await (const row of rows) {
      yield {
        ...row,
        side: sideOf(by === undefined || by === null ? row.value : columnOf(row, String(by)), Number(test)),
      };
    }
  },
};
