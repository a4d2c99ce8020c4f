/** Every code has a page; its failing example fails with that code, and its mended one does not. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.ts';
import { codes, type ProblemName } from '../../src/compiler/diagnostics/codes.ts';
import { hasErrors } from '../../src/compiler/diagnostics/diagnostic.ts';
import type { Example } from '../../src/compiler/diagnostics/pages/page.ts';
import { pages } from '../../src/compiler/diagnostics/pages/pages.ts';
import { allCodes, explain } from '../../src/compiler/explain.ts';
import { joinPath } from '../../src/compiler/source/paths.ts';
import { fixture } from './fixture-catalog.ts';

function run({ text, whole, files = {}, pipeline, profile, set }: Example) {
  return compile(
    { path: 'main.ftp', text: whole?.() ?? text },
    {
      catalog: fixture,
      pipeline,
      profile,
      set,
      resolve: (path) =>
        Object.hasOwn(files, path) ? { path: joinPath('.', path), text: files[path]! } : undefined,
    },
  );
}

/** Found by the command line before the compiler is asked. */
const outside: readonly ProblemName[] = ['unreadable-file'];

describe('pages', () => {
  it('has unique codes, in groups by their first digit', () => {
    const all = allCodes().map(({ code }) => code);
    expect(new Set(all).size).toBe(all.length);
    for (const code of all) expect(code).toMatch(/^FTP\d{4}$/);
    for (const digit of '0123456789') expect(all.some((code) => code[3] === digit)).toBe(true);
  });

  for (const [name, { code, severity }] of Object.entries(codes) as [
    ProblemName,
    (typeof codes)[ProblemName],
  ][]) {
    const isOfCompiler = code < 'FTP4' && !outside.includes(name);
    it(`${code} ${name}`, () => {
      const { failing, mended } = pages[name];
      const failed = run(failing).diagnostics;
      const clean = run(mended);
      expect(clean.diagnostics).toEqual([]);
      expect(clean.graph?.jobs.length).toBeGreaterThan(0);
      if (isOfCompiler) {
        expect(failed.map((diagnostic) => diagnostic.name)).toContain(name);
        expect(hasErrors(failed)).toBe(severity === 'error');
        expect(failed.every((diagnostic) => diagnostic.name === name || name === 'too-many-errors')).toBe(
          true,
        );
      } else expect(failed).toEqual([]);
      const page = explain(code)!;
      expect(page).toContain(`# ${code} ${name}`);
      expect(page.length).toBeGreaterThan(120);
      expect(explain(name)).toBe(page);
    });
  }

  it('knows no other codes', () => {
    expect(explain('FTP1234')).toBeUndefined();
    expect(explain('constructor')).toBeUndefined();
  });
});
