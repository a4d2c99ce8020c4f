/** A golden model as a method sees it. */
import type { MethodTarget } from '../../src/runtime/methods/method.ts';
import type { Golden } from '../reference/golden.ts';

export const targetOf = ({ family, config }: Golden): MethodTarget => ({
  config,
  parameters: family.parameters(config),
  linears: family.linears(config),
  blocks: family.blocks(config),
});
