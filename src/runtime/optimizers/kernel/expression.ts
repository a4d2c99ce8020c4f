/** What an optimizer computes for one element, as data. */

/** What is the same for all elements of an update. */
export interface Step {
  /** Counted from 1. */
  readonly step: number;
  readonly learningRate: number;
}

type BinaryOperation = 'add' | 'subtract' | 'multiply' | 'divide';
type UnaryOperation = 'squareRoot' | 'sign';

export type Expression =
  /** An element of an array of 32-bit numbers. */
  | { readonly kind: 'array'; readonly name: string }
  /** A number of the step, or a constant. */
  | { readonly kind: 'number'; readonly at: (step: Step) => number }
  | { readonly kind: UnaryOperation; readonly of: Expression }
  | { readonly kind: BinaryOperation; readonly left: Expression; readonly right: Expression };

export type Operand = Expression | number;

const expressionOf = (operand: Operand): Expression =>
  typeof operand === 'number' ? { kind: 'number', at: () => operand } : operand;

const binary =
  (kind: BinaryOperation) =>
  (left: Operand, right: Operand): Expression => ({
    kind,
    left: expressionOf(left),
    right: expressionOf(right),
  });

export const add = binary('add');
export const subtract = binary('subtract');
export const multiply = binary('multiply');
export const divide = binary('divide');
export const squareRoot = (of: Expression): Expression => ({ kind: 'squareRoot', of });
/** −1, 0 or 1. */
export const sign = (of: Expression): Expression => ({ kind: 'sign', of });
/** A number that is computed once an update. */
export const eachStep = (at: (step: Step) => number): Expression => ({ kind: 'number', at });
