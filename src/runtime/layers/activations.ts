/** The nonlinearities of feed-forward layers, by the names that config.json gives them. */
import { gelu, maximum, silu } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';

const exact = (x: Node) => gelu(x, 'erf');
const approximate = (x: Node) => gelu(x, 'tanh');

/** x (…) → (…) */
export const activations = {
  silu,
  swish: silu,
  gelu: exact,
  gelu_python: exact,
  gelu_new: approximate,
  gelu_fast: approximate,
  gelu_pytorch_tanh: approximate,
  relu: (x: Node) => maximum(x, 0),
} as const satisfies { readonly [name: string]: (x: Node) => Node };

export type ActivationName = keyof typeof activations;
export const activationNames = Object.keys(activations) as ActivationName[];
