/** A program as text: one operation a line, fresh names in order of first use, the same text for the same program. */
import type { Tensor } from './ops.ts';
import { type Node, nodesOf, type Program } from './program.ts';

/** a … z, aa, ab, … */
function letters(index: number): string {
  const head = index >= 26 ? letters(Math.floor(index / 26) - 1) : '';
  return head + String.fromCharCode(97 + (index % 26));
}

function printTensor({ data, shape }: Tensor): string {
  const shown = Array.from(data.subarray(0, 4), (v) => String(Number(v.toPrecision(7)))).join(', ');
  if (shape.length === 0) return shown;
  return `[${shown}${data.length > 4 ? ', …' : ''}]`;
}

function printAttribute(value: unknown): string {
  if (Array.isArray(value)) return `(${value.join(', ')})`;
  if (typeof value === 'object' && value !== null) return printTensor(value as Tensor);
  return String(value);
}

function printNode(node: Node, name: (node: Node) => string): string {
  const attributes = Object.entries(node.attributes)
    .filter(([, value]) => value !== false)
    .map(([key, value]) => (value === true ? key : `${key}=${printAttribute(value)}`));
  const operands = node.inputs.map(name);
  const type = `${node.dtype}(${node.shape.join(', ')})`;
  return `  ${name(node)}: ${type} = ${[node.op, ...operands, ...attributes].join(' ')}`;
}

/** `program NAME`, a line for each operation with its type, then one `NAME <- value` for each output. */
export function printProgram(program: Program): string {
  const nodes = nodesOf(program);
  const names = new Map(nodes.map((node, i) => [node, letters(i)]));
  const name = (node: Node) => names.get(node)!;
  return [
    `program ${program.name}`,
    ...nodes.map((node) => printNode(node, name)),
    ...[...program.outputs].map(([output, node]) => `  ${output} <- ${name(node)}`),
    '',
  ].join('\n');
}
