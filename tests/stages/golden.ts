/** Numbers that this project computed once: a change of any of them is a change of what stages compute. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { expectClose } from '../reference/close.ts';

const path = fileURLToPath(new URL('./golden-series.json', import.meta.url));

interface GoldenSeries {
  /** How it was made. */
  readonly note: string;
  readonly series: { readonly [name: string]: readonly number[] };
}

/** Other machines order sums differently. */
const tolerance = { absolute: 1e-4, relative: 1e-4 };

/** Compares with the file; with FTC_GOLDEN=write the numbers are written to it instead. */
export function expectGolden(actual: { readonly [name: string]: readonly number[] }): void {
  if (process.env.FTC_GOLDEN === 'write') {
    const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as GoldenSeries).series : {};
    const rounded = Object.fromEntries(
      Object.entries(actual).map(([name, values]) => [name, values.map((x) => Number(x.toPrecision(8)))]),
    );
    const note =
      'made by `FTC_GOLDEN=write npx vitest run tests/stages/golden-series.test.ts` (onnxruntime-node 1.30.0, CPU); NUMERICS of src/runtime/run/keys.ts is raised with it';
    writeFileSync(path, `${JSON.stringify({ note, series: { ...before, ...rounded } }, null, 1)}\n`);
    return;
  }
  const { series } = JSON.parse(readFileSync(path, 'utf8')) as GoldenSeries;
  expect(Object.keys(actual).sort()).toEqual(Object.keys(series).sort());
  for (const [name, values] of Object.entries(actual)) expectClose(values, series[name]!, tolerance, name);
}
