/**
 * Engines run nodes depth first from the outputs: the logits of a chunk, read once for the loss and once for the gradient,
 * stay alive from one path to the other, all chunks at once. Here the few small values that are read from large
 * temporaries are joined and cut apart again, a copy of almost nothing, so that they are computed together and the
 * temporaries die before the next ones are born. Where one of them is too large for that, the others wait for it.
 */
import { after, concat, reshape, slice } from '../programs/builder.ts';
import { withInputs } from '../programs/map-program.ts';
import type { Shape } from '../programs/ops.ts';
import { type Node, nodesOf, type Program, sizeOf } from '../programs/program.ts';
import type { Rewrite } from './rewrite.ts';

/** Elements from which on a value counts as large. */
const large = 1 << 20;
/** How much smaller than the temporaries what is read from them must be, or than the largest that the others wait for. */
const ratio = 16;

/** Rows of a weight are where the weight is. */
const isSource = (node: Node): boolean =>
  node.op === 'input' ||
  node.op === 'parameter' ||
  node.op === 'constant' ||
  (node.op === 'slice' && isSource(node.inputs[0]!));
const isLarge = (node: Node) => !isSource(node) && sizeOf(node.shape) >= large;

interface Group {
  readonly temporaries: Node[];
  /** Small nodes that read a temporary. */
  readonly readers: Node[];
}

/** A program's nodes, each before those that read it. */
class Order {
  readonly nodes: readonly Node[];
  private readonly positions = new Map<Node, number>();
  private readonly users = new Map<Node, Node[]>();
  private readonly outputs: ReadonlySet<Node>;

  constructor(program: Program) {
    this.nodes = nodesOf(program);
    this.outputs = new Set(program.outputs.values());
    for (const [position, node] of this.nodes.entries()) {
      this.positions.set(node, position);
      for (const x of new Set(node.inputs)) {
        const users = this.users.get(x);
        if (users === undefined) this.users.set(x, [node]);
        else users.push(node);
      }
    }
  }

  isOutput(node: Node): boolean {
    return this.outputs.has(node);
  }

  usersOf(node: Node): readonly Node[] {
    return this.users.get(node) ?? [];
  }

  /** From the first to the last of these. */
  span(nodes: readonly Node[]): readonly Node[] {
    const at = nodes.map((node) => this.positions.get(node)!);
    const least = at.reduce((a, b) => Math.min(a, b));
    const most = at.reduce((a, b) => Math.max(a, b));
    return this.nodes.slice(least, most + 1);
  }
}

/** Large temporaries that read one another, in order. */
function groupsOf({ nodes }: Order): Set<Group> {
  const groups = new Map<Node, Group>();
  const join = (a: Group, b: Group): Group => {
    if (a === b) return a;
    a.temporaries.push(...b.temporaries);
    for (const node of b.temporaries) groups.set(node, a);
    return a;
  };
  for (const node of nodes.filter(isLarge)) {
    const group: Group = { temporaries: [node], readers: [] };
    groups.set(node, group);
    for (const x of node.inputs) if (groups.has(x)) join(groups.get(x)!, groups.get(node)!);
  }
  for (const node of nodes) {
    if (isLarge(node)) continue;
    for (const group of new Set(node.inputs.flatMap((x) => groups.get(x) ?? []))) group.readers.push(node);
  }
  return new Set(groups.values());
}

/** Without the readers that a temporary needs in turn, such as the largest number of a row before it is quantized. */
function withoutInner({ temporaries, readers }: Group, order: Order): Group {
  const needed = new Set<Node>(temporaries.flatMap((node) => node.inputs));
  // A reader that one of them needs lies between them.
  for (const node of order.span(temporaries).toReversed())
    if (needed.has(node)) for (const x of node.inputs) needed.add(x);
  return { temporaries, readers: readers.filter((node) => !needed.has(node)) };
}

/** The one node that every reader only goes into, such as a concat or a sum: they are joined already. */
function meeting(readers: readonly Node[], order: Order): Node | undefined {
  if (readers.some((node) => order.isOutput(node))) return undefined;
  const ends = readers.flatMap((node) =>
    order.usersOf(node).flatMap((x) => (x.op === 'reshape' ? order.usersOf(x) : [x])),
  );
  return ends.every((node) => node === ends[0]) ? ends[0] : undefined;
}

/** Whether the readers' values are already read through `after` alone. */
function wait(readers: readonly Node[], order: Order): boolean {
  const end = meeting(readers, order);
  if (end?.op === 'after') return true;
  return end?.op === 'concat' && order.usersOf(end).every(({ op }) => op === 'after');
}

/** Codes are read once, and die then. */
const sizeOfAll = (nodes: readonly Node[]): number =>
  nodes.reduce((total, node) => total + (node.dtype === 'f32' ? sizeOf(node.shape) : 0), 0);

const isSmallBeside = (nodes: readonly Node[], large: readonly Node[]): boolean =>
  sizeOfAll(nodes) * ratio <= sizeOfAll(large);

/** Whether the readers can be computed together: none of them leads to another. */
function fits({ temporaries, readers }: Group, order: Order): boolean {
  if (readers.length < 2 || readers.some((node) => node.dtype !== 'f32')) return false;
  const members = new Set([...temporaries, ...readers]);
  const follows = new Set<Node>();
  const first = new Set(readers);
  for (const node of order.span([...members])) {
    const isLate = node.inputs.some((x) => follows.has(x) || first.has(x));
    if (isLate && members.has(node)) return false;
    if (isLate) follows.add(node);
  }
  return true;
}

/** How the readers of a group come to be computed together: undefined where that is not worth it, or not possible. */
function together(group: Group, order: Order): ((readers: readonly Node[]) => Node[]) | undefined {
  const { readers } = group;
  const largest = readers.reduce((a, b) => (sizeOf(b.shape) > sizeOf(a.shape) ? b : a), readers[0]!);
  const others = readers.filter((node) => node !== largest);
  if (isSmallBeside(readers, group.temporaries))
    return fits(group, order) && meeting(readers, order) === undefined
      ? (copies) => bundle(copies)
      : undefined;
  if (!isSmallBeside(others, [largest]) || !fits(group, order) || wait(others, order)) return undefined;
  const at = readers.indexOf(largest);
  return (copies) => bundle(copies.toSpliced(at, 1), copies[at]).toSpliced(at, 0, copies[at]!);
}

/** Reshaped, unless that is its shape. */
const shaped = (node: Node, shape: Shape): Node =>
  node.shape.join() === shape.join() ? node : reshape(node, shape);

/** The readers' values as parts of one vector, once `other` is there. */
function bundle(readers: readonly Node[], other?: Node): Node[] {
  const parts = readers.map((node) => shaped(node, [sizeOf(node.shape)]));
  const values = parts.length === 1 ? parts[0]! : concat(parts, 0);
  const vector = other === undefined ? values : after(values, other);
  let start = 0;
  return readers.map(({ shape }) => {
    const end = start + sizeOf(shape);
    const part = shaped(slice(vector, [start], [end]), shape);
    start = end;
    return part;
  });
}

/** Readers that come to be computed together. */
interface Tied {
  readonly readers: readonly Node[];
  readonly tie: (readers: readonly Node[]) => Node[];
}

/** Without groups that would wait for one another: tied, each would be part of what the other one reads. */
function apart(groups: readonly Tied[], order: Order): readonly Tied[] {
  const groupOf = new Map(groups.flatMap((group) => group.readers.map((node) => [node, group] as const)));
  const needs = new Map(groups.map((group) => [group, new Set<Tied>()]));
  /** Groups that lead to a node. */
  const before = new Map<Node, ReadonlySet<Tied>>();
  for (const node of order.nodes) {
    const found = new Set(
      node.inputs.flatMap((x) => [...before.get(x)!, ...(groupOf.has(x) ? [groupOf.get(x)!] : [])]),
    );
    before.set(node, found);
    const own = groupOf.get(node);
    if (own) for (const group of found) needs.get(own)!.add(group);
  }
  const kept: Tied[] = [];
  const reaches = (from: Tied, to: Tied, seen: Set<Tied>): boolean =>
    [...needs.get(from)!].some(
      (next) => next === to || (kept.includes(next) && !seen.has(next) && reaches(next, to, seen.add(next))),
    );
  for (const group of groups) if (!reaches(group, group, new Set())) kept.push(group);
  return kept;
}

function run(program: Program): Program {
  const order = new Order(program);
  const found = [...groupsOf(order)].flatMap((whole) => {
    const group = withoutInner(whole, order);
    const tie = together(group, order);
    return tie === undefined ? [] : [{ readers: group.readers, tie }];
  });
  const groups = apart(found, order);
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
      const parts = group.tie(group.readers.map(copy));
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
