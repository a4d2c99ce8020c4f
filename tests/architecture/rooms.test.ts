import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Fewer modules than this means that the cruiser did not see the code, not that the code is clean. */
const FLOOR = 250;

test('no room imports what it may not see', () => {
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const output = execFileSync(
    process.execPath,
    [cruiser, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'grammar', 'src'],
    { cwd: root, maxBuffer: 1 << 28, encoding: 'utf8' },
  );
  const { summary } = JSON.parse(output) as {
    summary: { totalCruised: number; violations: { rule: { name: string }; from: string; to: string }[] };
  };
  expect(summary.violations.map((v) => `${v.rule.name}: ${v.from} → ${v.to}`)).toEqual([]);
  expect(summary.totalCruised).toBeGreaterThan(FLOOR);
});

function sources(directory: string): string[] {
  return readdirSync(join(root, directory)).flatMap((name) => {
    const path = join(directory, name);
    return statSync(join(root, path)).isDirectory() ? sources(path) : /\.tsx?$/.test(name) ? [path] : [];
  });
}

const files = [...sources('grammar'), ...sources('src')].map((path) => ({
  path,
  lines: readFileSync(join(root, path), 'utf8').split('\n').length - 1,
}));

test('files are small: the median at most 80 lines, and one over 250 says why in its first comment', () => {
  const sorted = files.map((f) => f.lines).sort((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(80);
  const unexplained = files.filter(
    ({ path, lines }) =>
      lines > 250 && !/long because/i.test(readFileSync(join(root, path), 'utf8').slice(0, 600)),
  );
  expect(unexplained).toEqual([]);
});

test('nothing is called utils, and nothing is exported by default', () => {
  expect(files.filter(({ path }) => /utils?\.tsx?$/.test(path))).toEqual([]);
  expect(files.filter(({ path }) => /^export default/m.test(readFileSync(join(root, path), 'utf8')))).toEqual(
    [],
  );
});

test('tests take their directories from the one place that removes them', () => {
  const makers = sources('tests').filter((path) => /\bmkdtemp/.test(readFileSync(join(root, path), 'utf8')));
  expect(makers).toEqual(['tests/temporary-directory.ts']);
});

test('ARCHITECTURE.md names every room, and no room that is not there', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const rooms = (directory: string) =>
    readdirSync(join(root, directory)).filter((name) => statSync(join(root, directory, name)).isDirectory());
  const table = text.slice(text.indexOf('## Rooms'), text.indexOf('Who may import whom'));
  const named = (name: string) => new RegExp(`\\b${name}\\b`).test(table);
  expect(rooms('src/runtime').filter((name) => !named(name))).toEqual([]);
  expect(rooms('src/compiler').filter((name) => !named(name))).toEqual([]);
});
