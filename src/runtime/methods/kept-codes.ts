/** Codes that an earlier training left: a method that wants codes of their kind keeps them, and the adapters beside them. */
import { type KeptWeight, type LowRankShape, sameOptions } from '../quantization/quantized-tensor.ts';
import type { AppliedMethod } from './method.ts';

/** `method` on a model some of whose weights are codes and adapters. @param before those of a weight, where it is made so */
export function keepingCodes(
  method: AppliedMethod,
  before: (weight: string) => KeptWeight | undefined,
): AppliedMethod {
  const { quantized } = method;
  if (quantized === undefined) return method;
  const kept = [...quantized].map(([name, options]): [string, KeptWeight] => {
    const found = before(name);
    if (found?.beside === undefined || !sameOptions(found, options)) return [name, options];
    return [name, { ...options, beside: found.beside }];
  });
  return { ...method, quantized: new Map(kept) };
}

/** Which weights of the model that `method` makes are codes and adapters. @param before those of the model it starts from */
export function codesAfter(
  method: AppliedMethod,
  before: ReadonlyMap<string, KeptWeight>,
): Map<string, KeptWeight> {
  const codes = new Map([...before, ...(method.quantized ?? [])]);
  if (method.adapter === undefined) for (const name of method.trainable) codes.delete(name);
  for (const [name, shape] of method.adapter?.adds ?? []) {
    const kept = codes.get(name);
    if (kept !== undefined && shape !== undefined) codes.set(name, withBeside(kept, shape));
    else codes.delete(name);
  }
  return codes;
}

const withBeside = (kept: KeptWeight, shape: LowRankShape): KeptWeight => ({
  ...kept,
  beside: [...(kept.beside ?? []), shape],
});
