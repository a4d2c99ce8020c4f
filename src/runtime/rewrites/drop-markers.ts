/** attachGradient and stopGradient mean something to `differentiate` only, blockEdge to `recompute`. */
import { mapProgram } from '../programs/map-program.ts';
import type { OpName } from '../programs/ops.ts';
import { nodesOf } from '../programs/program.ts';
import type { Rewrite } from './rewrite.ts';

const markers: readonly OpName[] = ['attachGradient', 'stopGradient', 'blockEdge'];

/** Run after differentiation: the gradients attached for it are forgotten. */
export const dropMarkers: Rewrite = {
  name: 'dropMarkers',
  ensures: 'no attachGradient, stopGradient or blockEdge is left',
  run: (program) => mapProgram(program, (node) => (markers.includes(node.op) ? node.inputs[0]! : node)),
  verify: (program) =>
    nodesOf(program).flatMap(({ op }) => (markers.includes(op) ? [`there is still a ${op}`] : [])),
};
