/**
 * A layer norm whose rows are also wanted before weight and bias (its gradient reads them) is made from those rows: two
 * passes that every thread shares instead of a second norm, which is computed mostly on one. Before `recompute`, so that
 * what is computed again has the same bits.
 */
import { add, layerNorm, mul } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import { type Node, nodesOf } from '../programs/program.ts';
import { uniform } from '../programs/uniform.ts';
import type { Rewrite } from './rewrite.ts';

type LayerNorm = Node<'layerNorm'>;
const isLayerNorm = (node: Node): node is LayerNorm => node.op === 'layerNorm';
const isBare = ({ inputs: [, weight, bias] }: LayerNorm) => uniform(weight!) === 1 && uniform(bias!) === 0;

export const normalizeOnce: Rewrite = {
  name: 'normalizeOnce',
  ensures: 'no rows are normalized both with and without weight and bias',
  run: (program) => {
    const bare = nodesOf(program).filter(isLayerNorm).filter(isBare);
    return mapProgram(program, (node, original) => {
      if (!isLayerNorm(node) || !isLayerNorm(original) || isBare(original)) return node;
      const [x, weight, bias] = node.inputs as readonly [Node, Node, Node];
      const { epsilon } = node.attributes;
      const same = bare.find((n) => n.inputs[0] === original.inputs[0] && n.attributes.epsilon === epsilon);
      if (same === undefined) return node;
      // The same node as the other one once equal nodes are shared.
      const rows = layerNorm(x, same.inputs[1]!, same.inputs[2]!, epsilon);
      return add(mul(rows, weight), bias);
    });
  },
};
