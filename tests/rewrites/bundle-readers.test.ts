/** Small values that are read from large temporaries come to be computed together, wherever that is possible. */
import { expect, test } from 'vitest';
import { concat, exp, input, matmul, max, program, sum, tanh } from '../../src/runtime/programs/builder.ts';
import { type Node, nodesOf } from '../../src/runtime/programs/program.ts';
import { bundleReaders } from '../../src/runtime/rewrites/bundle-readers.ts';

const N = 1100;
const large = (name: string) => exp(input(name, 'f32', [N, N]));

/** The readers that each concat joins. */
const joined = (outputs: Readonly<Record<string, Node>>) =>
  nodesOf(bundleReaders.run(program('p', outputs))).flatMap((node) =>
    node.op === 'concat' ? [node.inputs.map((x) => (x.op === 'reshape' ? x.inputs[0]!.op : x.op))] : [],
  );

test.each<[string, (x: Node) => Node, (x: Node) => Node]>([
  ['both read further', tanh, exp],
  ['both outputs', (x) => x, (x) => x],
  ['one output, one read further', (x) => x, exp],
])('two readers of one temporary, %s', (_, first, second) => {
  const table = large('x');
  expect(joined({ a: first(sum(table, [1])), b: second(max(table, [1])) })).toEqual([['sum', 'max']]);
});

test('readers that are joined already stay as they are', () => {
  const table = large('x');
  const both = concat([sum(table, [1]), max(table, [1])], 0);
  expect(joined({ both: exp(both) })).toEqual([['sum', 'max']]);
});

test('of two groups that would wait for one another, one is left as it is', () => {
  const [t1, t2] = [large('x'), large('y')];
  const row = (name: string) => input(name, 'f32', [1, N]);
  const a1 = matmul(row('u'), t1);
  const b1 = matmul(a1, t2);
  const b2 = matmul(row('v'), t2);
  const a2 = matmul(b2, t1);
  expect(joined({ p: exp(b1), q: exp(a2) })).toHaveLength(1);
});
