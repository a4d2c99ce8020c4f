import { openParquet } from '../files/read-parquet.ts';
import type { Row } from '../row.ts';
import { fileSource, pathOption } from '../source.ts';

export const parquet = fileSource(
  {
    name: 'parquet',
    summary: 'parquet files, as data sets are published',
    details: `Columns keep their names; lists and records stay lists and objects, integers become numbers, times text. Pages may
be packed with snappy, zstd, gzip, brotli or lz4. One group of rows is in memory at a time. Messages name the row: 1 is
the first of the file.`,
    example: 'data chats = parquet("data/train-*.parquet")',
    options: { path: pathOption },
    required: ['path'],
  },
  ['parquet'],
  readParquet,
);

export async function* readParquet(path: string): AsyncGenerator<Row> {
  const file = await openParquet(path);
  try {
    for (let group = 0; group < file.groups.length - 1; group++) yield* await file.readGroup(group);
  } finally {
    await file.close();
  }
}
