/** What is fed to a program, checked against what it reads. */
import type { DType, Shape } from '../programs/ops.ts';
import type { Node } from '../programs/program.ts';

interface Fed {
  readonly dtype: DType;
  readonly shape: Shape;
}

const typeText = ({ dtype, shape }: Fed) => `${dtype}(${shape.join(', ')})`;

/** The feed of an input or parameter. Errors: Error where it is missing or has another type. */
export function feedFor<T extends Fed>(
  node: Node<'input'> | Node<'parameter'>,
  feeds: ReadonlyMap<string, T>,
): T {
  const { name } = node.attributes;
  const value = feeds.get(name);
  if (value === undefined) throw new Error(`the ${node.op} "${name}" is not fed: it needs ${typeText(node)}`);
  if (typeText(value) !== typeText(node))
    throw new Error(`the ${node.op} "${name}" needs ${typeText(node)}, was fed ${typeText(value)}`);
  return value;
}
