/** Syntax trees as the parser gives them, without places. */
import fc from 'fast-check';
import { dedent } from '../../src/compiler/syntax/strings.ts';

const name = fc
  .constantFrom('sft', 'rm', 'notes', '问诊', 'a-b', 'x1', 'r', 'lr', 'targets', 'data', 'model')
  .map((text) => ({ text }));
const path = fc.array(name, { minLength: 1, maxLength: 3 }).chain((names) =>
  fc.array(fc.constantFrom('.', '/'), { minLength: 2, maxLength: 2 }).map((signs) => ({
    text: names.map(({ text }, index) => (index === 0 ? '' : signs[index - 1]) + text).join(''),
    names,
  })),
);
const plain = fc.string({
  unit: fc.constantFrom('a', '问', ' ', '"', '\\', '$', '{', '}', '\n', '\t', "'", '\u0001'),
  minLength: 1,
  maxLength: 8,
});
const text = fc.array(fc.tuple(plain, name), { maxLength: 3 }).chain((pairs) =>
  plain.map((last) => ({
    kind: 'text',
    parts: [...pairs.flatMap(([before, reference]) => [before, { reference }]), last],
  })),
);
const quantity = fc
  .constantFrom('2e-4', '5%', '24GB', '3 epochs', '1..5', '-1')
  .map((written) => ({ kind: 'quantity', text: written }));
const raw = fc
  .string({ unit: fc.constantFrom('a', '问', ' ', '"', '\\', '$'), maxLength: 8 })
  .map((written) => ({ kind: 'raw', text: written }));
const block = fc
  .string({ unit: fc.constantFrom('a', '{', '"', ' ', '\n', '#'), maxLength: 20 })
  .map((written) => dedent(`\n${written}\n`))
  .filter(
    (written) =>
      !written.includes('"""') &&
      dedent(`\n${written}\n`) === written &&
      (written.includes('\n') || dedent(written) === written),
  )
  .map((written) => ({ kind: 'block', text: written }));
const variable = name.map((known) => ({ kind: 'variable', name: known }));
const word = path.map((known) => ({
  kind: 'call',
  call: { path: known, parens: false, args: [], broken: false },
}));

const { value, call } = fc.letrec<{ value: unknown; call: unknown; single: unknown; arg: unknown }>(
  (tie) => ({
    single: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      quantity,
      text,
      raw,
      block,
      variable,
      word,
      tie('call').map((known) => ({ kind: 'call', call: known })),
      fc.array(tie('single'), { maxLength: 3 }).map((items) => ({ kind: 'list', items, bracketed: true })),
    ),
    value: fc.oneof(
      { depthSize: 'small' },
      tie('single'),
      fc
        .array(tie('single'), { minLength: 2, maxLength: 3 })
        .map((items) => ({ kind: 'list', items, bracketed: false })),
      fc.array(tie('call'), { minLength: 2, maxLength: 3 }).map((calls) => ({ kind: 'rows', calls })),
    ),
    arg: fc.oneof(
      { depthSize: 'small' },
      fc.record({ kind: fc.constant('keyed'), key: name, value: tie('value'), closes: fc.boolean() }),
      fc.record({ kind: fc.constant('positional'), value: tie('single'), closes: fc.boolean() }),
      fc.record({
        kind: fc.constant('condition'),
        condition: fc.record({ path, comparison: fc.constantFrom('>=', '<', '=='), value: tie('single') }),
        closes: fc.boolean(),
      }),
    ),
    call: fc.tuple(path, fc.array(tie('arg'), { maxLength: 4 })).map(([known, args]) => ({
      path: known,
      parens: true,
      // Nothing can be closed before the first argument.
      args: args.map((arg, index) => (index === 0 ? { ...(arg as object), closes: false } : arg)),
      broken: false,
    })),
  }),
) as unknown as { value: fc.Arbitrary<unknown>; call: fc.Arbitrary<unknown> };

const step = fc
  .tuple(fc.option(name, { nil: undefined }), call)
  .map(([label, known]) => ({ ...(label && { label }), call: known }));
const chain = fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => ({ steps, broken: false }));

const item = fc.oneof(
  fc.record({ kind: fc.constant('use'), path: fc.constant('lib/shared.ftp'), name }),
  fc.record({ kind: fc.constant('let'), name, value }),
  fc
    .tuple(name, fc.option(fc.constant({ text: 'int' }), { nil: undefined }), value)
    .map(([known, type, given]) => ({ kind: 'param', name: known, ...(type && { type }), value: given })),
  fc.record({ kind: fc.constant('data'), name, chain }),
  fc.record({ kind: fc.constantFrom('model', 'stage'), name, call }),
  fc.record({ kind: fc.constant('template'), name, value }),
  fc.record({
    kind: fc.constant('pipeline'),
    name,
    parameters: fc.array(fc.record({ name, value }), { maxLength: 2 }),
    chain,
  }),
  fc.record({
    kind: fc.constant('profile'),
    name,
    settings: fc.array(
      fc.record({ path: fc.tuple(fc.constantFrom({ text: '*' }, { text: 'sft' }), name), value }),
      { maxLength: 3 },
    ),
  }),
);

/** With at most one anonymous pipeline, at the end. */
export const tree: fc.Arbitrary<unknown> = fc
  .tuple(fc.array(item, { maxLength: 4 }), fc.option(chain, { nil: undefined }))
  .map(([items, last]) => ({
    items: last === undefined ? items : [...items, { kind: 'pipeline', parameters: [], chain: last }],
  }));
