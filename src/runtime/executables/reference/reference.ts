/** The oracle: programs evaluated operation by operation in plain TypeScript. Slow and exact; engines are tested against it. */
import { evaluateNode } from '../../programs/kernels/kernels.ts';
import type { Precision, Value } from '../../programs/kernels/value.ts';
import type { Tensor } from '../../programs/ops.ts';
import { type Node, nodesOf, type Program } from '../../programs/program.ts';
import type { Executable } from '../executable.ts';
import { feedFor } from '../feeds.ts';

/** Outputs by name. At `f64` every f32 value is held as f64 (for finite differences). Errors: Error naming a missing feed. */
export function evaluate(
  program: Program,
  feeds: ReadonlyMap<string, Value>,
  precision: Precision = 'f32',
): Map<string, Value> {
  const values = new Map<Node, Value>();
  for (const node of nodesOf(program)) {
    const fed = node.op === 'input' || node.op === 'parameter';
    const operands = node.inputs.map((input) => values.get(input)!);
    values.set(node, fed ? feedFor(node, feeds) : evaluateNode(node, operands, precision));
  }
  return new Map([...program.outputs].map(([name, node]) => [name, values.get(node)!]));
}

export const reference: Executable = {
  name: 'reference',
  async load(program, { frozen = new Map() } = {}) {
    return {
      async run(feeds) {
        const outputs = evaluate(program, new Map([...frozen, ...feeds]));
        return new Map(
          [...outputs].map(([name, value]): [string, Tensor] => [
            name,
            { ...value, data: value.data.slice() as Tensor['data'] },
          ]),
        );
      },
      async dispose() {},
    };
  },
};
