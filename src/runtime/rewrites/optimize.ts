/** The ordered list of rewrites between differentiation and an executable. */
import type { Program } from '../programs/program.ts';
import { bundleReaders } from './bundle-readers.ts';
import { dropMarkers } from './drop-markers.ts';
import { foldConstants } from './fold-constants.ts';
import type { Rewrite } from './rewrite.ts';
import { rowScales } from './row-scales.ts';
import { share } from './share.ts';
import { simplify } from './simplify.ts';
import { sumThroughProduct } from './sum-through-product.ts';

/** Unused nodes need no pass: a program is what its outputs reach. */
export const rewrites: readonly Rewrite[] = [
  dropMarkers,
  foldConstants,
  simplify,
  share,
  sumThroughProduct,
  rowScales,
  simplify,
  foldConstants,
  share,
  bundleReaders,
];

/** Makes a program cheaper and keeps its outputs; run it after `differentiate`, whose markers it removes. */
export function optimize(program: Program): Program {
  return rewrites.reduce((current, rewrite) => rewrite.run(current), program);
}
