import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { format } from '../../src/compiler/format.ts';
import { parse } from '../../src/compiler/syntax/parse.ts';
import { printTree } from '../../src/compiler/syntax/print.ts';
import type { Tree } from '../../src/compiler/syntax/tree.ts';
import { lex } from '../../src/compiler/tokens/lex.ts';
import { tree } from './arbitrary-tree.ts';
import { withoutRanges } from './without-ranges.ts';

const read = (text: string) => parse(lex({ path: 'x.ftp', text }));

describe('printing', () => {
  it('gives a text that is read as the same tree, formatted or not', () => {
    fc.assert(
      fc.property(tree, (written) => {
        const text = printTree(written as Tree);
        const { tree: again, diagnostics } = read(text);
        expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
        expect(withoutRanges(again)).toEqual(written);
        expect(withoutRanges(read(format({ path: 'x.ftp', text }).text!).tree)).toEqual(written);
      }),
      { numRuns: 1500 },
    );
  });
});
