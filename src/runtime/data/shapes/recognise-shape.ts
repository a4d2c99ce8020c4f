/** What rows were taken for, so that a plan can say it. */
import type { Row } from '../row.ts';
import { shapeOf } from './known-shapes.ts';
import { text } from './plain.ts';
import type { Field, Mapping, Origin } from './shape.ts';

export interface RecognisedShape {
  /** `Alpaca`, `ShareGPT`, `preference`, … */
  readonly shape: string;
  /** Which columns each field is made of, those first that are not only called by its name. */
  readonly fields: readonly RecognisedField[];
  /** Columns of these rows that no field is made of. */
  readonly unread: readonly string[];
}

export interface RecognisedField {
  readonly field: Field;
  /** `instruction + input, in Alpaca's words` */
  readonly from: string;
  /** The column has the field's own name and is taken as it is. */
  readonly isItself: boolean;
}

/** Columns that stages read besides, or that say how a row is read. */
const known = ['margin', 'answer', 'label', 'tools'];

/**
 * The shapes of some rows, in the order in which they come; rows of no known shape are left out.
 * @param reads `text` for a stage that reads plain text, whatever else the rows have
 * @throws DataError `ambiguous-columns`
 */
export function recogniseShape(
  rows: readonly Row[],
  reads: 'text' | 'any' = 'any',
): readonly RecognisedShape[] {
  const found = new Map<string, { mapping: Mapping; columns: Set<string> }>();
  for (const row of rows) {
    const shape = reads === 'text' ? text : shapeOf(row);
    const mapping = shape?.mapping(row);
    if (shape === undefined || mapping === undefined) continue;
    const entry = found.get(shape.name) ?? { mapping, columns: new Set() };
    found.set(shape.name, { mapping: { ...mapping, ...entry.mapping }, columns: entry.columns });
    for (const name of Object.keys(row.value)) entry.columns.add(name);
  }
  return [...found].map(([shape, { mapping, columns }]) => {
    const origins = Object.entries(mapping) as [Field, Origin][];
    const read = new Set([...known, ...origins.flatMap(([, origin]) => origin.columns)]);
    return {
      shape,
      fields: origins.map(([field, { columns, how }]) => ({
        field,
        from: how === undefined ? columns.join(' + ') : `${columns.join(' + ')}, ${how}`,
        isItself: how === undefined && columns.length === 1 && columns[0] === field,
      })),
      unread: [...columns].filter((name) => !read.has(name)),
    };
  });
}
