import { type SidedRow, withoutContinues } from '../row.ts';
import { hashToUnit } from '../row-hash.ts';
import type { Operator } from '../source.ts';

export const sample: Operator = {
  entry: {
    name: 'sample',
    summary: 'a number of rows, chosen by chance, always the same ones',
    details: `The rows with the smallest hashes are taken, in the order in which they stand: about 5% of them are on the test side,
as in all of the data. Another \`seed\` takes others. Where there are fewer rows, all are taken.`,
    example: 'data few = jsonl("data/consult.jsonl") → sample(1000)',
    options: {
      rows: { description: 'how many rows', type: 'integer', unit: 'count', minimum: 1, position: 0 },
      seed: { description: 'chooses which rows', type: 'integer', default: 0 },
    },
    required: ['rows'],
  },
  needsAll: true,
  async *apply(rows, options) {
    const wanted = Number(options.rows);
    const seed = Number(options.seed ?? 0);
    const kept: { readonly hash: number; readonly place: number; readonly row: SidedRow }[] = [];
    let largest = Number.POSITIVE_INFINITY;
    const dropLarge = () => {
      kept.sort((a, b) => a.hash - b.hash || a.place - b.place);
      kept.length = Math.min(kept.length, wanted);
      if (kept.length === wanted) largest = kept[wanted - 1]!.hash;
    };
    let place = 0;
    for await (const row of rows) {
      const hash = hashToUnit([seed, row.value]);
      if (hash < largest) kept.push({ hash, place, row });
      place++;
      if (kept.length >= 2 * wanted + 1024) dropLarge();
    }
    dropLarge();
    kept.sort((a, b) => a.place - b.place);
    for (const [i, { place, row }] of kept.entries()) {
      yield place === (kept[i - 1]?.place ?? -1) + 1 ? row : withoutContinues(row);
    }
  },
};
