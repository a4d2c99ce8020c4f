/** Weights in codes, for programs that are only run forward: products read them, and tables are picked from. */
import { dequantize, gatherRows, matmul, parameter, reshape, sliceAxis } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import { type Node, nodesOf, type Program, sizeOf } from '../programs/program.ts';
import { codeBytes, type QuantizedFormat } from '../quantization/quantized-tensor.ts';

/** Blocks run along the rows of (outputs, inputs), which are whole blocks. */
export interface RowCodes {
  readonly format: QuantizedFormat;
  readonly block: number;
}

/**
 * Names of codes and absmax as (outputs, inputs), whichever way round the weight itself lies; of several weights that are
 * one matrix, one below the other.
 */
export const rowCodeNames = (...weights: readonly string[]) => ({
  codes: `${weights.join('+')}.rows.codes`,
  absmax: `${weights.join('+')}.rows.absmax`,
});

/** The same numbers as a table: codes (rows, columns) of a byte each, absmax (rows, blocks of a row). */
export const tableCodeNames = (weight: string) => ({
  codes: `${weight}.table.codes`,
  absmax: `${weight}.table.absmax`,
});

export interface InCodes {
  readonly program: Program;
  /** Weights that it reads as one matrix, in their order. */
  readonly joined: readonly (readonly string[])[];
}

/**
 * x Wᵀ (or x W) becomes x times `dequantize` of W's codes, transposed, for the weights that `formats` names; products of
 * one x are one, cut apart: for a single row it counts how many there are. Rows picked from a weight (int8) are picked from
 * its codes.
 */
export function weightsInCodes(program: Program, formats: ReadonlyMap<string, RowCodes>): InCodes {
  const groups = groupsOf(program, formats);
  const products = new Map<readonly Product[], Node>();
  const replaced = mapProgram(program, (node, original) => {
    if (node.op === 'gatherRows') {
      const table = original.inputs[0]!;
      const kind = table.op === 'parameter' ? formats.get(nameOf(table)) : undefined;
      return kind === undefined ? node : pickedRows(node, table, kind);
    }
    const group = groups.get(original);
    if (group === undefined) return node;
    const whole = products.get(group) ?? productOf(node.inputs[0]!, group);
    products.set(group, whole);
    if (group.length === 1) return whole;
    const at = group.findIndex((one) => one.node === original);
    const start = group.slice(0, at).reduce((sum, { shape }) => sum + shape[0], 0);
    return sliceAxis(whole, whole.shape.length - 1, start, start + group[at]!.shape[0]);
  });
  const joined = [...products.keys()].filter((group) => group.length > 1);
  return { program: replaced, joined: joined.map((group) => group.map(({ weight }) => weight)) };
}

interface Product {
  readonly node: Node;
  readonly weight: string;
  /** (outputs, inputs) */
  readonly shape: readonly [number, number];
  readonly kind: RowCodes;
}

const nameOf = (weight: Node): string => (weight as Node<'parameter'>).attributes.name;

/** Products with weights in codes, each with those of the same rows and the same kind. */
function groupsOf(program: Program, formats: ReadonlyMap<string, RowCodes>): Map<Node, Product[]> {
  const groups = new Map<Node, Product[]>();
  const byOperand = new Map<Node, Product[][]>();
  for (const node of nodesOf(program)) {
    if (node.op !== 'matmul') continue;
    const [x, weight] = node.inputs as readonly [Node, Node];
    const { transposeA, transposeB, scale } = (node as Node<'matmul'>).attributes;
    const kind = weight.op === 'parameter' ? formats.get(nameOf(weight)) : undefined;
    if (kind === undefined || transposeA || scale !== 1) continue;
    const shape = (transposeB ? weight.shape : weight.shape.toReversed()) as readonly [number, number];
    const product = { node, weight: nameOf(weight), shape, kind };
    const known = byOperand.get(x) ?? [];
    const group = known.find(([first]) => sameKind(first!.kind, kind)) ?? [];
    if (group.length === 0) byOperand.set(x, [...known, group]);
    group.push(product);
    groups.set(node, group);
  }
  return groups;
}

const sameKind = (a: RowCodes, b: RowCodes): boolean => a.format === b.format && a.block === b.block;

function productOf(x: Node, group: readonly Product[]): Node {
  const { kind, shape } = group[0]!;
  const outputs = group.reduce((sum, one) => sum + one.shape[0], 0);
  const names = rowCodeNames(...group.map(({ weight }) => weight));
  const count = outputs * shape[1];
  const codes = parameter(names.codes, [codeBytes(kind.format, count)], 'u8');
  const absmax = parameter(names.absmax, [count / kind.block]);
  const { format, block } = kind;
  const weight = dequantize(codes, absmax, { format, block, shape: [outputs, shape[1]] });
  return matmul(x, weight, { transposeB: true });
}

function pickedRows(node: Node<'gatherRows'>, weight: Node, { format, block }: RowCodes): Node {
  const [rows, columns] = weight.shape as [number, number];
  const names = tableCodeNames(nameOf(weight));
  const picked = (table: Node): Node => {
    const found = gatherRows(table, node.inputs[1]!);
    return reshape(found, [sizeOf(found.shape)]);
  };
  const codes = picked(parameter(names.codes, [rows, columns], 'u8'));
  const absmax = picked(parameter(names.absmax, [rows, columns / block]));
  return dequantize(codes, absmax, { format, block, shape: node.shape });
}
