/** What README.md shows of the language is what the compiler accepts, lays out and says. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compile } from '../../src/compiler/compile.ts';
import { renderText } from '../../src/compiler/diagnostics/render-text.ts';
import { format } from '../../src/compiler/format.ts';
import { catalog } from '../../src/runtime/catalog.ts';

const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
const blocks = [...readme.matchAll(/^```text\n(.*?)^```$/gms)].map((match) => match[1]!);
const [line, clinic, mistake] = blocks as [string, string, string];

test('its pipelines compile and are laid out as `ftc fmt` does', () => {
  for (const text of [line, clinic]) {
    expect(compile({ path: 'clinic.ftp', text }, { catalog }).diagnostics).toEqual([]);
    expect(format({ path: 'clinic.ftp', text }).text).toBe(text);
  }
});

test('the mistake it shows is told in these words, the list of parameters left out', () => {
  const source = { path: 'clinic.ftp', text: clinic.replace('targets=', 'target=') };
  const { diagnostics, sources } = compile(source, { catalog });
  expect(renderText(diagnostics, { sources }).replace(/^ = note: .*\n/m, '')).toBe(mistake);
});
