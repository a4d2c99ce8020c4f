/** Hidden states of chosen positions. B batch, T tokens, D width, N positions. */
import { gatherRows, reshape } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';

/** hidden: (B, T, D), index: i32 (N), each row · T + position → (N, D) */
export function selectRows(hidden: Node, index: Node): Node {
  const [batch, tokens, width] = hidden.shape as [number, number, number];
  return gatherRows(reshape(hidden, [batch * tokens, width]), index);
}
