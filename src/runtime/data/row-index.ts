/** Rows by their number, on the disk: what a shuffled pass over data larger than memory needs. */
import { type FileHandle, open } from 'node:fs/promises';
import type { DataExpression } from '../../compiler/graph/graph.ts';
import { type OpenFile, openFile } from './files/open-file.ts';
import { type OpenOptions, openData } from './open-data.ts';
import type { Row, RowReader } from './row.ts';

export interface RowIndex {
  readonly length: number;
  /** The row with number `i` from 0, read from its file. @throws DataError `broken-data-file` where that became shorter */
  read(i: number): Promise<Row>;
  /** Lets go of the files; the copy is the caller's to remove. */
  close(): Promise<void>;
}

/**
 * Goes over the rows once and keeps where each begins, 20 bytes a row. Rows that lie in a plain jsonl, json, csv or tsv file
 * stay there. Others (packed or parquet files, text, what an operator changed) are copied, one JSON object a line.
 * @param copy where that copy is written; nothing is where no row needs it
 * @throws DataError of the rows
 */
export async function indexRows(
  expression: DataExpression,
  options: OpenOptions,
  copy: string,
): Promise<RowIndex> {
  const places = new Places();
  const copied = new Copy(copy);
  try {
    for await (const row of openData(expression, options)) {
      const at = row.at ?? (await copied.add(row.value));
      places.add(row, at.reader, at.from, at.to);
    }
  } finally {
    await copied.close();
  }
  const opened = new Map<RowReader, OpenFile>();
  return {
    length: places.length,
    async read(i) {
      const { reader, file, line, from, to } = places.get(i);
      let source = opened.get(reader);
      if (source === undefined) opened.set(reader, (source = await openFile(reader.path)));
      return { value: reader.valueOf(Buffer.from(await source.read(from, to)).toString()), file, line };
    },
    async close() {
      for (const file of opened.values()) await file.close();
    },
  };
}

/** Rows that cannot be read where they are, as JSON lines; written a piece at a time. */
class Copy {
  private readonly reader: RowReader;
  private file: FileHandle | undefined;
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private position = 0;

  constructor(path: string) {
    this.reader = { path, valueOf: (text) => JSON.parse(text) as Row['value'] };
  }

  async add(value: Row['value']): Promise<{ reader: RowReader; from: number; to: number }> {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    const from = this.position;
    this.position += bytes.length;
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    if (this.pendingBytes > 1 << 20) await this.write();
    return { reader: this.reader, from, to: this.position };
  }

  async close(): Promise<void> {
    if (this.pendingBytes > 0) await this.write();
    await this.file?.close();
  }

  private async write(): Promise<void> {
    this.file ??= await open(this.reader.path, 'w');
    await this.file.writeFile(Buffer.concat(this.pending));
    this.pending = [];
    this.pendingBytes = 0;
  }
}

/** Grows by half: where each row is, and what it is called in messages. */
class Places {
  length = 0;
  private readonly files: { readonly reader: RowReader; readonly file: string }[] = [];
  private fileOf = new Uint32Array(1024);
  private starts = new Float64Array(1024);
  private lengths = new Uint32Array(1024);
  private lines = new Uint32Array(1024);

  add({ file, line }: Row, reader: RowReader, from: number, to: number): void {
    if (this.length === this.starts.length) this.grow();
    const last = this.files.at(-1);
    if (last?.reader !== reader || last.file !== file) this.files.push({ reader, file });
    this.fileOf[this.length] = this.files.length - 1;
    this.starts[this.length] = from;
    this.lengths[this.length] = to - from;
    this.lines[this.length++] = line;
  }

  get(i: number) {
    if (!(i >= 0 && i < this.length)) throw new RangeError(`there is no row ${i}, but ${this.length}`);
    const from = this.starts[i]!;
    return { ...this.files[this.fileOf[i]!]!, line: this.lines[i]!, from, to: from + this.lengths[i]! };
  }

  private grow(): void {
    const size = Math.ceil(this.length * 1.5);
    const grown = <A extends Uint32Array | Float64Array>(before: A, after: A): A => {
      after.set(before);
      return after;
    };
    this.fileOf = grown(this.fileOf, new Uint32Array(size));
    this.starts = grown(this.starts, new Float64Array(size));
    this.lengths = grown(this.lengths, new Uint32Array(size));
    this.lines = grown(this.lines, new Uint32Array(size));
  }
}
