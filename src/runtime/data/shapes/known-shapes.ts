import type { Row } from '../row.ts';
import { alpaca } from './alpaca.ts';
import { chat, shareGpt } from './conversation.ts';
import { prompt, promptCompletion, text } from './plain.ts';
import { preference } from './preference.ts';
import { questionAnswer } from './question-answer.ts';
import type { Shape } from './shape.ts';
import { unpaired } from './unpaired.ts';

/** In the order in which they are tried: the first that fits a row is its shape. */
export const knownShapes: readonly Shape[] = [
  preference,
  unpaired,
  shareGpt,
  chat,
  promptCompletion,
  alpaca,
  questionAnswer,
  prompt,
  text,
];

/** @throws DataError `ambiguous-columns` */
export const shapeOf = (row: Row): Shape | undefined =>
  knownShapes.find((shape) => shape.mapping(row) !== undefined);

/** A row with its fields under the names that stages read; rows of no known shape stay as they are. @throws DataError */
export function plainRow(row: Row): Row {
  const shape = shapeOf(row);
  return shape === undefined ? row : { ...row, value: { ...row.value, ...shape.read(row) } };
}
