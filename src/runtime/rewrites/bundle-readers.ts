/**
 * Engines run nodes depth first from the outputs: the logits of a chunk, read once for the loss and once for the gradient,
 * stay alive from one path to the other, all chunks at once. Here the few small values that are read from large
 * temporaries are joined and cut apart again, a copy of almost nothing, so that they are computed together and the
 * temporaries die before the next ones are born.
 */
import { concat, reshape, slice } from '../programs/builder.ts';
import { withInputs } from '../programs/map-program.ts';
import type { Shape } from '../programs/ops.ts';
import { type Node, nodesOf, type Program, sizeOf } from '../programs/program.ts';
import type { Rewrite } from './rewrite.ts';

/** Elements from which on a value counts as large. */
const large = 1 << 20;
/** How much smaller than the temporaries what is read from them must be. */
const ratio = 16;

const isSource = (node: Node) => node.op === 'input' || node.op === 'parameter' || node.op === 'constant';
const isLarge = (node: Node) => !isSource(node) && sizeOf(node.shape) >= large;

interface Group {
  readonly temporaries: Node[];
  /** Small nodes that read a temporary. */
  readonly readers: Node[];
}

/** Large temporaries that read one another, in order. */
function groupsOf(order: readonly Node[]): Set<Group> {
  const groups = new Map<Node, Group>();
  const join = (a: Group, b: Group): Group => {
    if (a === b) return a;
    a.temporaries.push(...b.temporaries);
    for (const node of b.temporaries) groups.set(node, a);
    return a;
  };
  for (const node of order.filter(isLarge)) {
    const group: Group = { temporaries: [node], readers: [] };
    groups.set(node, group);
    for (const x of node.inputs) if (groups.has(x)) join(groups.get(x)!, groups.get(node)!);
  }
  for (const node of order) {
    if (isLarge(node)) continue;
    for (const group of new Set(node.inputs.flatMap((x) => groups.get(x) ?? []))) group.readers.push(node);
  }
  return new Set(groups.values());
}

/** Without the readers that a temporary needs in turn, such as the largest number of a row before it is quantized. */
function withoutInner({ temporaries, readers }: Group, order: readonly Node[]): Group {
  const needed = new Set<Node>(temporaries.flatMap((node) => node.inputs));
  for (const node of order.toReversed()) if (needed.has(node)) for (const x of node.inputs) needed.add(x);
  return { temporaries, readers: readers.filter((node) => !needed.has(node)) };
}

/** Whether every reader only goes into one and the same concat: they are joined already. */
function joined({ readers }: Group, order: readonly Node[]): boolean {
  const users = (node: Node): Node[] => order.filter((user) => user.inputs.includes(node));
  const ends = readers.flatMap((node) => users(node).flatMap((x) => (x.op === 'reshape' ? users(x) : [x])));
  return ends.every((node) => node.op === 'concat' && node === ends[0]);
}

/** Whether joining the readers is worth it, and possible: none of them leads to another. */
function fits(group: Group, order: readonly Node[]): boolean {
  const { temporaries, readers } = group;
  // Codes are read once, and die then.
  const size = (nodes: readonly Node[]) =>
    nodes.reduce((total, node) => total + (node.dtype === 'f32' ? sizeOf(node.shape) : 0), 0);
  if (readers.length < 2 || readers.some((node) => node.dtype !== 'f32')) return false;
  if (size(readers) * ratio > size(temporaries)) return false;
  if (joined(group, order)) return false;
  const members = new Set([...temporaries, ...readers]);
  const after = new Set<Node>();
  for (const node of order) {
    const follows = node.inputs.some((x) => after.has(x) || readers.includes(x));
    if (follows && members.has(node)) return false;
    if (follows) after.add(node);
  }
  return true;
}

/** Reshaped, unless that is its shape. */
const shaped = (node: Node, shape: Shape): Node =>
  node.shape.join() === shape.join() ? node : reshape(node, shape);

/** The readers' values as parts of one vector. */
function bundle(readers: readonly Node[]): Node[] {
  const vector = concat(
    readers.map((node) => shaped(node, [sizeOf(node.shape)])),
    0,
  );
  let start = 0;
  return readers.map(({ shape }) => {
    const end = start + sizeOf(shape);
    const part = shaped(slice(vector, [start], [end]), shape);
    start = end;
    return part;
  });
}

function run(program: Program): Program {
  const order = nodesOf(program);
  const groups = [...groupsOf(order)]
    .map((group) => withoutInner(group, order))
    .filter((group) => fits(group, order));
  if (groups.length === 0) return program;
  const groupOf = new Map(groups.flatMap((group) => group.readers.map((node) => [node, group] as const)));
  const built = new Map<Node, Node>();
  const copy = (node: Node): Node => withInputs(node, node.inputs.map(build));
  function build(node: Node): Node {
    const known = built.get(node);
    if (known !== undefined) return known;
    const group = groupOf.get(node);
    if (group === undefined) built.set(node, copy(node));
    else {
      const parts = bundle(group.readers.map(copy));
      group.readers.forEach((reader, i) => {
        built.set(reader, parts[i]!);
      });
    }
    return built.get(node)!;
  }
  const outputs = new Map([...program.outputs].map(([name, node]) => [name, build(node)]));
  return { name: program.name, outputs };
}

export const bundleReaders: Rewrite = {
  name: 'bundleReaders',
  ensures: 'small values read from one group of large temporaries are computed together',
  run,
};
