import type { Node } from './program.ts';

/** The number that every element of a constant is; undefined where there is no such number. */
export function uniform(node: Node): number | undefined {
  if (node.op !== 'constant') return undefined;
  const { data } = node.attributes.value;
  return data.length > 0 && data.every((v) => v === data[0]) ? data[0] : undefined;
}
