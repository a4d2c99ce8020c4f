/** Answers that were judged one by one (KTO); `pairs()` makes preferences of them. */
import type { Row } from '../row.ts';
import { chat, shareGpt } from './conversation.ts';
import { promptCompletion } from './plain.ts';
import type { Shape } from './shape.ts';

const labels = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
  ['True', true],
  ['False', false],
]);

/** Whether the answer was accepted; undefined where no one said. */
export const labelOf = ({ value }: Row): boolean | undefined => labels.get(value.label);

/** The shape of such a row but for its label. */
const answered = (row: Row): Shape | undefined =>
  [promptCompletion, shareGpt, chat].find((shape) => shape.mapping(row) !== undefined);

export const unpaired: Shape = {
  name: 'unpaired preference',
  columns: 'prompt completion label',
  mapping: (row) => (labelOf(row) === undefined ? undefined : answered(row)?.mapping(row)),
  read: (row) => answered(row)!.read(row),
};
