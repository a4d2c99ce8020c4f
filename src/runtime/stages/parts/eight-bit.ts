/** The option `precision` of training stages. */
import type { Json } from '../../../compiler/catalog.ts';
import type { AppliedMethod } from '../../methods/method.ts';
import type { EightBitTreatment } from '../stage.ts';

/** With `precision=int8`, products with weights that the method leaves alone are taken in eight bits. */
export function eightBitOf(
  { precision }: Readonly<Record<string, Json>>,
  { trainable, added }: Pick<AppliedMethod, 'trainable' | 'added'>,
): EightBitTreatment | undefined {
  if (precision !== 'int8') return undefined;
  return { trained: new Set([...trainable, ...added.map(({ name }) => name)]) };
}
