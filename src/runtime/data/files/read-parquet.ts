/** Parquet through hyparquet: one group of rows in memory at a time. */
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { checkValue } from '../check-value.ts';
import { badRow, brokenFile, DataError } from '../data-error.ts';
import type { Row } from '../row.ts';
import { openFile } from './open-file.ts';

export interface ParquetFile {
  readonly rows: number;
  /** Row numbers from 0 at which its groups begin, and at the end that of all rows. */
  readonly groups: readonly number[];
  /** @throws DataError `broken-data-file`, or `bad-row` for a value that is not text where it says so */
  readGroup(group: number): Promise<Row[]>;
  close(): Promise<void>;
}

/** @throws DataError `empty-data`, `missing-data-file`, `broken-data-file` */
export async function openParquet(path: string): Promise<ParquetFile> {
  const file = await openFile(path);
  try {
    if (file.size === 0) throw new DataError('empty-data', { path });
    const buffer: AsyncBuffer = {
      byteLength: file.size,
      slice: async (start, end = file.size) => file.read(start, end),
    };
    const metadata = await metadataOf(buffer, path);
    const groups = [0];
    for (const { num_rows } of metadata.row_groups) groups.push(groups.at(-1)! + Number(num_rows));
    return {
      rows: groups.at(-1)!,
      groups,
      readGroup: (group) => readGroup(path, buffer, metadata, [groups[group]!, groups[group + 1]!]),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function metadataOf(buffer: AsyncBuffer, path: string): Promise<FileMetaData> {
  const ends = [await buffer.slice(0, 4), await buffer.slice(Math.max(0, buffer.byteLength - 4))];
  const [head, tail] = ends.map((bytes) => Buffer.from(bytes).toString('latin1'));
  if (head === 'PARE' || tail === 'PARE')
    throw brokenFile(path, 'it is encrypted parquet, which is not read', 'write it without encryption');
  if (head !== 'PAR1') throw brokenFile(path, 'it does not begin as parquet does', 'name a parquet file');
  if (tail !== 'PAR1') throw brokenFile(path, 'it is cut off: parquet ends with a footer, and there is none');
  try {
    return await parquetMetadataAsync(buffer);
  } catch (error) {
    throw brokenFile(path, `its parquet footer is damaged (${reasonOf(error)})`);
  }
}

async function readGroup(
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  [rowStart, rowEnd]: readonly [number, number],
): Promise<Row[]> {
  let values: Record<string, unknown>[];
  try {
    const parsers = { stringFromBytes };
    values = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors, parsers });
  } catch (error) {
    const why = `its rows ${rowStart + 1} to ${rowEnd} are damaged (${reasonOf(error)})`;
    throw new DataError('broken-data-file', {
      path,
      why,
      ...(rowStart > 0 && { after: `row ${rowStart}` }),
    });
  }
  if (values.length !== rowEnd - rowStart) throw brokenFile(path, 'it has fewer rows than its footer says');
  return values.map((given, i) => {
    const place = { file: path, line: rowStart + i + 1 };
    const value: Record<string, unknown> = {};
    for (const [name, part] of Object.entries(given)) value[name] = plainValue(part, name, place);
    checkValue(value, place);
    return { value, ...place };
  });
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes that are not UTF-8 stay bytes, so that the row can be named. */
function stringFromBytes(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined || bytes === null) return bytes;
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes;
  }
}

/** What JSON has for it: numbers for integers, ISO 8601 for times, null for what is missing. */
function plainValue(
  value: unknown,
  field: string,
  place: { readonly file: string; readonly line: number },
): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array)
    throw badRow(place, `the column \`${field}\` holds bytes that are not UTF-8 text`);
  if (Array.isArray(value)) return value.map((part) => plainValue(part, field, place));
  if (ArrayBuffer.isView(value))
    return Array.from(value as unknown as ArrayLike<unknown>, (part) => plainValue(part, field, place));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, plainValue(part, field, place)]),
  );
}

const reasonOf = (error: unknown): string =>
  String((error as Error).message ?? error).replace(/^parquet /, '');
