/** A row of a data file, as messages name it. */
export interface DataPlace {
  /** The data file as the user wrote it. */
  readonly file: string;
  /** 1-based: the line on which the row begins; of a file whose rows are not lines, the number of the row. */
  readonly line: number;
}

/** What `line` counts. */
export const unitOf = ({ file }: DataPlace): 'line' | 'row' =>
  /\.(json|parquet)(\.(gz|zst))?$/i.test(file) ? 'row' : 'line';

/** `rows.jsonl:3`, `rows.parquet row 3` */
export const at = (place: DataPlace): string =>
  unitOf(place) === 'row' ? `${place.file} row ${place.line}` : `${place.file}:${place.line}`;
