/** What rows were taken for, so that a plan can say it. */
import type { Row } from '../row.ts';
import { shapeOf } from './known-shapes.ts';
import { text } from './plain.ts';
import type { Field, Mapping, Origin } from './shape.ts';

export interface RecognisedShape {
  /** `Alpaca`, `ShareGPT`, `preference`, … */
  readonly shape: string;
  /** Which columns each field is made of. */
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

/** A census as JSON has it. */
export interface CensusData {
  readonly reads: 'text' | 'any';
  readonly found: readonly (readonly [shape: string, { readonly mapping: Mapping; readonly rows: number }])[];
  readonly columns: readonly string[];
}

/** Counts rows by shape as they go by; rows of no known shape are left out. */
export class ShapeCensus {
  private readonly found = new Map<string, { mapping: Mapping; rows: number }>();
  private readonly columns = new Set<string>();

  /** @param reads `text` for a stage that reads plain text, whatever else the rows have */
  constructor(private readonly reads: 'text' | 'any' = 'any') {}

  static from({ reads, found, columns }: CensusData): ShapeCensus {
    const census = new ShapeCensus(reads);
    for (const [shape, entry] of found) census.found.set(shape, { ...entry });
    for (const name of columns) census.columns.add(name);
    return census;
  }

  data(): CensusData {
    return { reads: this.reads, found: [...this.found], columns: [...this.columns] };
  }

  /** @throws DataError `ambiguous-columns` */
  add(row: Row): void {
    const shape = this.reads === 'text' ? text : shapeOf(row);
    const mapping = shape?.mapping(row);
    if (shape === undefined || mapping === undefined) return;
    for (const name of Object.keys(row.value)) this.columns.add(name);
    const entry = this.found.get(shape.name);
    if (entry === undefined) this.found.set(shape.name, { mapping, rows: 1 });
    else {
      entry.rows++;
      if (widens(entry.mapping, mapping)) entry.mapping = mapping;
    }
  }

  /** Rows of a shape. */
  count(shape: string): number {
    return this.found.get(shape)?.rows ?? 0;
  }

  /** In the order in which they first came. */
  shapes(): readonly RecognisedShape[] {
    return [...this.found].map(([shape, { mapping }]) => {
      const origins = Object.entries(mapping) as [Field, Origin][];
      const read = new Set([...known, ...origins.flatMap(([, origin]) => origin.columns)]);
      return {
        shape,
        fields: origins.map(fieldOf),
        unread: [...this.columns].filter((name) => !read.has(name)),
      };
    });
  }
}

/** The shapes of some rows, the first of a file for example. @throws DataError `ambiguous-columns` */
export function recogniseShape(rows: readonly Row[]): readonly RecognisedShape[] {
  const census = new ShapeCensus();
  for (const row of rows) census.add(row);
  return census.shapes();
}

/** Whether fields are made of more columns in this row: the first may lack an optional one. */
const widens = (before: Mapping, after: Mapping): boolean =>
  Object.entries(after).some(
    ([field, { columns }]) => columns.length > (before[field as Field]?.columns.length ?? 0),
  );

function fieldOf([field, { columns, how }]: [Field, Origin]): RecognisedField {
  const from = how === undefined ? columns.join(' + ') : `${columns.join(' + ')}, ${how}`;
  return { field, from, isItself: how === undefined && columns.length === 1 && columns[0] === field };
}
