/** Common subexpressions: equal operations on the same operands are one node. */
import { mapProgram } from '../programs/map-program.ts';
import type { Tensor } from '../programs/ops.ts';
import type { Node } from '../programs/program.ts';
import type { Rewrite } from './rewrite.ts';

const largestCompared = 64;

/** Text that equal constants share; large ones are equal only to themselves. */
function constantKey({ dtype, shape, data }: Tensor, identity: (x: object) => number): string {
  if (data.length > largestCompared) return `${identity(data)} (${shape})`;
  return `${dtype}(${shape}) ${Array.from(data, (v) => (Object.is(v, -0) ? '-0' : String(v)))}`;
}

export const share: Rewrite = {
  name: 'share',
  ensures: 'no two nodes are the same operation on the same operands',
  run: (program) => {
    const identities = new Map<object, number>();
    const identity = (x: object): number => {
      const known = identities.get(x) ?? identities.size;
      identities.set(x, known);
      return known;
    };
    const seen = new Map<string, Node>();
    return mapProgram(program, (node) => {
      const attributes =
        node.op === 'constant'
          ? constantKey(node.attributes.value, identity)
          : JSON.stringify(node.attributes, Object.keys(node.attributes).sort());
      const key = `${node.op} ${node.inputs.map(identity)} ${attributes}`;
      const known = seen.get(key) ?? node;
      seen.set(key, known);
      return known;
    });
  },
};
