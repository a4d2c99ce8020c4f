/** Arguments sorted by who takes them; nothing is evaluated yet. */
import type { CallEntry, MethodEntry, StageEntry } from '../catalog.ts';
import type { Span } from '../source/span.ts';
import type { WrittenCondition } from '../syntax/tree.ts';
import type { Bound, Scope } from './module.ts';

/** A value for one option. */
export interface Given {
  readonly bound: Bound;
  /** The whole `key=value`, or the value where it stands alone. */
  readonly span: Span;
  /** In words, where it does not come from the step itself: `profile smoke`. */
  readonly from?: string;
}

export type Givens = ReadonlyMap<string, Given>;

export interface MethodBinding {
  readonly entry: MethodEntry;
  readonly options: Givens;
  /** Where the method is named; absent where it is the stage's default. */
  readonly span?: Span;
}

export interface GivenCondition {
  readonly condition: WrittenCondition;
  readonly scope: Scope;
}

export interface StageBinding {
  readonly entry: StageEntry;
  readonly options: Givens;
  readonly method?: MethodBinding;
  readonly conditions: readonly GivenCondition[];
  /** Options of the stage's model that a profile or `--set` changes: `pretrain.model.layers=2`. */
  readonly modelOptions: Givens;
  /** Arguments could not be read or were refused: what is missing may be among them. */
  readonly broken: boolean;
}

/** The option that the positional argument number `index` fills; one that takes a list takes all the rest. */
export function positionalOption(entry: CallEntry, index: number): string | undefined {
  let rest: string | undefined;
  for (const [name, { position, type }] of Object.entries(entry.options)) {
    if (position === index) return name;
    if (position !== undefined && position < index && type === 'array') rest = name;
  }
  return rest;
}

export const takesPositional = (entry: CallEntry): number =>
  Object.values(entry.options).filter(({ position }) => position !== undefined).length;
