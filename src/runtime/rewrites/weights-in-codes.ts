/** Weights in codes, for programs that are only run forward: products read them, and tables are picked from. */
import { dequantize, gatherRows, matmul, parameter, reshape } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import { type Node, type Program, sizeOf } from '../programs/program.ts';
import { codeBytes, type QuantizedFormat } from '../quantization/quantized-tensor.ts';

/** Blocks run along the rows of (outputs, inputs), which are whole blocks. */
export interface RowCodes {
  readonly format: QuantizedFormat;
  readonly block: number;
}

/** Names of a weight's codes and absmax as (outputs, inputs), whichever way round the weight itself lies. */
export const rowCodeNames = (weight: string) => ({
  codes: `${weight}.rows.codes`,
  absmax: `${weight}.rows.absmax`,
});

/** The same numbers as a table: codes (rows, columns) of a byte each, absmax (rows, blocks of a row). */
export const tableCodeNames = (weight: string) => ({
  codes: `${weight}.table.codes`,
  absmax: `${weight}.table.absmax`,
});

/**
 * x Wᵀ (or x W) becomes x times `dequantize` of W's codes, transposed, for the weights that `formats` names; rows picked
 * from one of them (int8) are picked from its codes.
 */
export function weightsInCodes(program: Program, formats: ReadonlyMap<string, RowCodes>): Program {
  return mapProgram(program, (node) => {
    const weight = node.inputs[node.op === 'gatherRows' ? 0 : 1];
    const kind =
      weight?.op === 'parameter' ? formats.get((weight as Node<'parameter'>).attributes.name) : undefined;
    if (kind === undefined) return node;
    if (node.op === 'matmul') return productOf(node, weight as Node<'parameter'>, kind);
    return node.op === 'gatherRows' ? rowsOf(node, weight as Node<'parameter'>, kind) : node;
  });
}

function productOf(node: Node<'matmul'>, weight: Node<'parameter'>, kind: RowCodes): Node {
  const { transposeA, transposeB, scale } = node.attributes;
  const shape = transposeB ? weight.shape : weight.shape.toReversed();
  const names = rowCodeNames(weight.attributes.name);
  const count = sizeOf(shape);
  const codes = parameter(names.codes, [codeBytes(kind.format, count)], 'u8');
  const absmax = parameter(names.absmax, [count / kind.block]);
  return matmul(node.inputs[0]!, dequantize(codes, absmax, { ...kind, shape }), {
    transposeA,
    transposeB: true,
    scale,
  });
}

function rowsOf(node: Node<'gatherRows'>, weight: Node<'parameter'>, kind: RowCodes): Node {
  const [rows, columns] = weight.shape as [number, number];
  const names = tableCodeNames(weight.attributes.name);
  const picked = (table: Node): Node => {
    const found = gatherRows(table, node.inputs[1]!);
    return reshape(found, [sizeOf(found.shape)]);
  };
  const codes = picked(parameter(names.codes, [rows, columns], 'u8'));
  const absmax = picked(parameter(names.absmax, [rows, columns / kind.block]));
  return dequantize(codes, absmax, { ...kind, shape: node.shape });
}
