/** Whatever the text: no exception, an answer in time, and formatting keeps the meaning. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.ts';
import { hasErrors } from '../../src/compiler/diagnostics/diagnostic.ts';
import { renderJson } from '../../src/compiler/diagnostics/render-json.ts';
import { renderText } from '../../src/compiler/diagnostics/render-text.ts';
import { format } from '../../src/compiler/format.ts';
import { parse } from '../../src/compiler/syntax/parse.ts';
import { lex } from '../../src/compiler/tokens/lex.ts';
import { nearlyPipeline, soup } from './arbitrary-text.ts';
import { fixture } from './fixture-catalog.ts';
import { withoutRanges } from './without-ranges.ts';

const treeOf = (text: string) => withoutRanges(parse(lex({ path: 'x.ftp', text })).tree);
const texts = fc.oneof(soup, nearlyPipeline, fc.string({ unit: 'binary', maxLength: 80 }));

describe('any text', () => {
  it('compiles or is refused with diagnostics that can be drawn', () => {
    fc.assert(
      fc.property(texts, fc.boolean(), (text, everyPipeline) => {
        const set = [{ path: 'sft.lr', value: text.slice(0, 20) }];
        const { graph, diagnostics, sources } = compile(
          { path: 'x.ftp', text },
          { catalog: fixture, everyPipeline, set },
        );
        expect(renderText(diagnostics, { sources, columns: 80 }).length).toBeGreaterThanOrEqual(
          diagnostics.length,
        );
        JSON.parse(renderJson(diagnostics));
        if (!everyPipeline) expect(graph !== undefined).toBe(!hasErrors(diagnostics));
        for (const { span } of diagnostics) expect(span === undefined || span.line > 0).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('has at most one syntax error on a line', () => {
    fc.assert(
      fc.property(soup, (text) => {
        const { diagnostics } = parse(lex({ path: 'x.ftp', text }));
        const lines = diagnostics.flatMap(({ span, severity, code }) =>
          span && severity === 'error' && code < 'FTP1005' ? [span.line] : [],
        );
        expect(new Set(lines).size).toBe(lines.length);
      }),
      { numRuns: 1000 },
    );
  });

  it('is formatted once and for all, with the same tree', () => {
    fc.assert(
      fc.property(fc.oneof(soup, nearlyPipeline), (text) => {
        const { text: once } = format({ path: 'x.ftp', text });
        fc.pre(once !== undefined);
        expect(format({ path: 'x.ftp', text: once! }).text).toBe(once);
        expect(treeOf(once!)).toEqual(treeOf(text));
      }),
      { numRuns: 2000, maxSkipsPerRun: 200 },
    );
  });
});
