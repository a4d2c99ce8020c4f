// Makes the parquet files of this folder, with DuckDB's writer (not the reader that ftc uses). It is no dependency of the
// project: in another directory `npm install @duckdb/node-api@1.5.6-r.1`, copy this file there, `node make.mjs TARGET`.
// Their rows are in expected.json, read back by DuckDB.
import { writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const target = process.argv[2] ?? '.';
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const run = (sql) => connection.run(sql);
const rowsOf = async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
const expected = {};

async function write(name, query, options) {
  await run(`copy (${query}) to '${target}/${name}' (format parquet, ${options})`);
  expected[name] = await rowsOf(`select * from read_parquet('${target}/${name}')`);
}

// Chats as lists of records, three groups of rows, each codec that pages come in.
const chats = `select [
    {role: 'user', content: 'question ' || i || ' 头痛 é 😀'},
    {role: 'assistant', content: repeat('answer ' || i || ' ', 3)}
  ] as messages, i as id, i % 2 = 0 as even, i / 4.0 as score from range(4200) t(i)`;
for (const codec of ['snappy', 'zstd', 'gzip', 'brotli', 'lz4_raw', 'uncompressed']) {
  const all = codec === 'zstd';
  await write(
    `chats-${codec}.parquet`,
    `${chats} limit ${all ? 4200 : 40}`,
    `compression ${codec}, row_group_size 2048`,
  );
}
// Only a few of the 4,200 rows are kept as numbers.
const chatsOfAll = expected['chats-zstd.parquet'];
expected['chats-zstd.parquet'] = Object.fromEntries(
  [0, 2047, 2048, 4095, 4096, 4199].map((i) => [i, chatsOfAll[i]]),
);

await write(
  'types.parquet',
  `select * from (values
    ('a', 1::bigint, date '2024-02-29', timestamp '2024-02-29 12:30:00', [1, 2], null, 1.5::decimal(8,2)),
    (null, 9007199254740993::bigint, null, null, [], 'x', 2.25::decimal(8,2))
  ) t(text, big, day, moment, list, rest, price)`,
  'compression snappy',
);
await write(
  'not-utf8.parquet',
  `select encode('ok') as text union all select '\\xE9\\xFF'::blob`,
  'compression uncompressed',
);
writeFileSync(`${target}/expected.json`, `${JSON.stringify(expected)}\n`);
process.exit(0);
