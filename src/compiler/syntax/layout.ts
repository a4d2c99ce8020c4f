/** The two rules about lines: an item starts on a new line, and a file has at most one pipeline without a name. */
import { type Diagnostic, diagnose } from '../diagnostics/diagnostic.ts';
import { lineOf, type SourceFile, spanOf } from '../source/source-file.ts';
import type { Chain, Item, Tree } from './tree.ts';

export function layoutProblems(source: SourceFile, { items }: Tree): Diagnostic[] {
  const found: Diagnostic[] = [];
  let anonymous: Chain | undefined;
  for (const [index, item] of items.entries()) {
    const before = items[index - 1];
    const sameLine =
      before !== undefined && lineOf(source, before.range.end - 1) === lineOf(source, item.range.start);
    const chainBefore = before === undefined ? undefined : chainOf(before);
    const chain = item.kind === 'pipeline' && item.name === undefined ? item.chain : undefined;
    if (chain !== undefined && (sameLine ? chainBefore : anonymous) !== undefined) {
      found.push(missingArrow(source, sameLine ? chainBefore! : anonymous!, chain, sameLine));
    } else if (sameLine) {
      const range = { start: item.range.start, end: item.range.start + 1 };
      const written = source.text.slice(item.range.start, item.range.end).split('\n', 1)[0]!;
      const fix = { edits: [{ span: spanOf(source, { start: range.start, end: range.start }), text: '\n' }] };
      found.push(diagnose('same-line', { found: written }, { span: spanOf(source, range), fix }));
    }
    anonymous ??= chain;
  }
  return found;
}

const chainOf = (item: Item): Chain | undefined =>
  item.kind === 'pipeline' || item.kind === 'data' ? item.chain : undefined;

function missingArrow(source: SourceFile, before: Chain, after: Chain, sameLine: boolean): Diagnostic {
  const last = before.steps.at(-1)!.call.path;
  const first = after.steps[0]!.call.path;
  const at = spanOf(source, { start: after.range.start, end: after.range.start });
  return diagnose(
    'missing-arrow',
    { before: last.text, after: first.text },
    {
      span: spanOf(source, first.range),
      related: [{ span: spanOf(source, last.range), label: 'the pipeline before ends here' }],
      fix: sameLine ? { edits: [{ span: at, text: '→ ' }] } : undefined,
    },
  );
}
