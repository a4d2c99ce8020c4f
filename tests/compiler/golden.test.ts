/** Golden cases; UPDATE_GOLDEN=1 writes what comes out, to be read before it is committed. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codes } from '../../src/compiler/diagnostics/codes.ts';
import { rule, runCase } from './golden-case.ts';

const directory = join(import.meta.dirname, 'golden');
const names = readdirSync(directory).filter((name) => name.endsWith('.txt'));

describe('golden', () => {
  for (const file of names) {
    it(file, () => {
      const [source = '', result = ''] = readFileSync(join(directory, file), 'utf8').split(rule);
      const actual = runCase(source, file.replace('.txt', ''));
      if (process.env.UPDATE_GOLDEN === '1') writeFileSync(join(directory, file), source + rule + actual);
      else expect(actual).toBe(result);
    });
  }

  it('has a case for every code of the compiler', () => {
    const results = names
      .map((file) => readFileSync(join(directory, file), 'utf8').split(rule)[1] ?? '')
      .join('\n');
    // Files that cannot be read are found by the command line.
    const missing = Object.entries(codes).filter(
      ([name, { code }]) =>
        code < 'FTP4' && name !== 'unreadable-file' && !results.includes(`[${code} ${name}]`),
    );
    expect(missing).toEqual([]);
  });
});
