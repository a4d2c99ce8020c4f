/** attachGradient and stopGradient mean something to `differentiate` only. */
import { mapProgram } from '../programs/map-program.ts';
import type { Rewrite } from './rewrite.ts';

/** Run after differentiation: the gradients attached for it are forgotten. */
export const dropMarkers: Rewrite = {
  name: 'dropMarkers',
  ensures: 'no attachGradient and no stopGradient is left',
  run: (program) =>
    mapProgram(program, (node) =>
      node.op === 'attachGradient' || node.op === 'stopGradient' ? node.inputs[0]! : node,
    ),
};
