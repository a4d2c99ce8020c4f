/** The contract of tensor programs, checked at the borders between passes. */
import { kernels } from './kernels/kernels.ts';
import type { DType, Shape } from './ops.ts';
import { type Node, nodesOf, type Program, sizeOf } from './program.ts';
import { inferShape, ShapeError } from './shapes.ts';

export class VerifyError extends Error {
  override readonly name = 'VerifyError';
}

const dtypes: readonly DType[] = ['f32', 'i32', 'bool', 'u8', 'i8'];
const typeText = (dtype: DType, shape: Shape) => `${dtype}(${shape.join(', ')})`;

function problemOf(node: Node): string | undefined {
  if (!Object.hasOwn(kernels, node.op)) return 'is no operation of the closed set';
  if (!dtypes.includes(node.dtype)) return `has the unknown number type ${node.dtype}`;
  if (!node.shape.every((n) => Number.isInteger(n) && n >= 0)) return `has the shape (${node.shape})`;
  if (node.op === 'input' || node.op === 'parameter')
    return node.attributes.name === '' || node.inputs.length > 0 ? 'needs a name and no operands' : undefined;
  if (node.op === 'constant' && node.attributes.value.data.length !== sizeOf(node.shape))
    return `holds ${node.attributes.value.data.length} values for the shape (${node.shape})`;
  try {
    const { dtype, shape } = inferShape(node.op, node.inputs, node.attributes);
    if (typeText(dtype, shape) === typeText(node.dtype, node.shape)) return undefined;
    return `says ${typeText(node.dtype, node.shape)}, its operands make ${typeText(dtype, shape)}`;
  } catch (error) {
    if (error instanceof ShapeError) return error.message;
    throw error;
  }
}

/**
 * Returns the program if it keeps the contract: known operations, shapes and types as inferred, named outputs, and one
 * type for each input and parameter name. Errors: VerifyError naming the program and the operation.
 */
export function verifyProgram(program: Program): Program {
  const fail = (text: string): never => {
    throw new VerifyError(`program ${program.name}: ${text}`);
  };
  if (program.outputs.size === 0) fail('it has no output');
  if (program.outputs.has('')) fail('an output has no name');
  const sources = new Map<string, string>();
  for (const node of nodesOf(program)) {
    const problem = problemOf(node);
    if (problem !== undefined) fail(`${node.op} ${problem}`);
    if (node.op !== 'input' && node.op !== 'parameter') continue;
    const type = `${node.op} ${typeText(node.dtype, node.shape)}`;
    const known = sources.get(node.attributes.name) ?? type;
    if (known !== type) fail(`"${node.attributes.name}" is both ${known} and ${type}`);
    sources.set(node.attributes.name, type);
  }
  return program;
}
