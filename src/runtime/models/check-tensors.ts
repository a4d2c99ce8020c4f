/** Whether the tensors of a checkpoint are those of its model: what is missing, unexpected, or of another shape. */
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import type { Shape } from '../programs/ops.ts';
import { isClassifier } from './config.ts';
import type { ModelConfig, ModelFamily } from './model.ts';

export type TensorProblem =
  | { readonly kind: 'missing'; readonly name: string; readonly expected: Shape }
  | { readonly kind: 'misshaped'; readonly name: string; readonly shape: Shape; readonly expected: Shape }
  /** `meant`: a tensor of the model whose name is nearly this one, and which is missing. */
  | { readonly kind: 'unexpected'; readonly name: string; readonly shape: Shape; readonly meant?: string }
  /** Two tensors stand for one weight (`wte.weight` beside `transformer.wte.weight`). */
  | { readonly kind: 'twice'; readonly name: string; readonly other: string };

export interface CheckedTensors {
  /** Name in the checkpoint of each weight of the model that it holds in the right shape. */
  readonly stored: ReadonlyMap<string, string>;
  /**
   * Names in the checkpoint of an output layer and of the token embedding, which by the config are one: they must hold the
   * same numbers in the same shape. Absent where the checkpoint has only one of them.
   */
  readonly copy?: readonly [head: string, embedding: string];
  /** In the order of the model's weights, then of the file. */
  readonly problems: readonly TensorProblem[];
}

/**
 * Compares the tensors of a checkpoint, names as they stand in its files and logical shapes (of weights in codes: those of
 * the weight), with the weights of the model. What a family ignores (mask buffers, the copy of a tied head) is not there.
 * A tensor that does not belong to the model itself, such as `score.weight`, is to be left out by the caller.
 */
export function checkTensors(
  family: ModelFamily,
  config: ModelConfig,
  tensors: Iterable<readonly [name: string, shape: Shape]>,
): CheckedTensors {
  const expected = new Map(family.parameters(config).map((spec) => [spec.name, spec.shape]));
  const found = new Map<string, string>();
  const unknown: [string, Shape][] = [];
  const wrong = new Map<string, TensorProblem>();
  const twice: TensorProblem[] = [];
  const all = new Map(tensors);
  for (const [name, shape] of all) {
    const weight = family.canonicalName(config, name);
    if (weight === undefined) continue;
    const want = expected.get(weight);
    const other = found.get(weight);
    if (want === undefined) unknown.push([name, shape]);
    else if (other !== undefined) twice.push({ kind: 'twice', name, other });
    else {
      found.set(weight, name);
      if (!sameShape(shape, want)) wrong.set(weight, { kind: 'misshaped', name, shape, expected: want });
    }
  }
  const missing = [...expected].filter(([name]) => !found.has(name));
  const names = missing.map(([name]) => name);
  const inOrder = [...expected].flatMap(([name, shape]): TensorProblem[] =>
    found.has(name) ? [wrong.get(name) ?? []].flat() : [{ kind: 'missing', name, expected: shape }],
  );
  const unexpected = unknown.map(([name, shape], i): TensorProblem => {
    const meant = i < GUESSES ? nearest(name, names) : undefined;
    return { kind: 'unexpected', name, shape, ...(meant !== undefined && { meant }) };
  });
  return {
    stored: new Map([...found].filter(([name]) => !wrong.has(name))),
    ...copyOfHead(family, config, all, found),
    problems: [...inOrder, ...unexpected, ...twice],
  };
}

/** Comparing every name with every other takes long in a file of another model. */
const GUESSES = 8;

const HEAD = 'lm_head.weight';

/** An output layer beside the token embedding that it is, by the config. */
function copyOfHead(
  family: ModelFamily,
  config: ModelConfig,
  tensors: ReadonlyMap<string, Shape>,
  found: ReadonlyMap<string, string>,
): Pick<CheckedTensors, 'copy'> {
  const specs = family.parameters(config);
  const embedding = found.get(specs.find(({ part }) => part === 'embeddings')!.name);
  const isTied = !isClassifier(config) && !specs.some(({ part }) => part === 'head');
  return isTied && embedding !== undefined && tensors.has(HEAD) ? { copy: [HEAD, embedding] } : {};
}

const sameShape = (a: Shape, b: Shape) => a.length === b.length && a.every((size, i) => size === b[i]);

/** A problem in words, lower case, no full stop. */
export function explainTensorProblem(problem: TensorProblem): string {
  const sizes = (shape: Shape) => `(${shape.join(', ')})`;
  switch (problem.kind) {
    case 'missing':
      return `the tensor "${problem.name}" ${sizes(problem.expected)} is missing`;
    case 'misshaped':
      return `the tensor "${problem.name}" is ${sizes(problem.shape)}; the model in config.json has it as ${sizes(problem.expected)}`;
    case 'unexpected':
      return `the tensor "${problem.name}" ${sizes(problem.shape)} is none of the model in config.json${
        problem.meant === undefined ? '' : ` (it has no "${problem.meant}": is that meant?)`
      }`;
    case 'twice':
      return `the tensors "${problem.other}" and "${problem.name}" stand for one weight`;
  }
}
