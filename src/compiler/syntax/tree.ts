/** The syntax tree: what was written, where; nothing is resolved. Ranges are offsets in the file's own text. */
import type { Range } from '../source/span.ts';

/** A name in NFC. */
export interface Name {
  readonly text: string;
  readonly range: Range;
}

/** `quick.objective/kl`: `text` is the whole, `names` are its parts. */
export interface Path {
  readonly text: string;
  readonly names: readonly Name[];
  readonly range: Range;
}

export type TextPart = string | { readonly reference: Name };

export type Value =
  /** A number with its unit, as written. */
  | { readonly kind: 'quantity'; readonly text: string; readonly range: Range }
  /** `"text ${ref}"` */
  | { readonly kind: 'text'; readonly parts: readonly TextPart[]; readonly range: Range }
  /** `'raw'` */
  | { readonly kind: 'raw'; readonly text: string; readonly range: Range }
  /** `"""block"""`, dedented. */
  | { readonly kind: 'block'; readonly text: string; readonly range: Range }
  /** `$name` */
  | { readonly kind: 'variable'; readonly name: Name; readonly range: Range }
  /** `a,b,c` or `[a, b, c]` */
  | {
      readonly kind: 'list';
      readonly items: readonly Value[];
      readonly bracketed: boolean;
      readonly range: Range;
    }
  /** A word, or a call. */
  | { readonly kind: 'call'; readonly call: Call; readonly range: Range }
  /** `notes → sample(100)` as a value. */
  | { readonly kind: 'rows'; readonly calls: readonly Call[]; readonly range: Range };

/** `closes`: a `;` stands before it, which closes a method group. */
export type Argument =
  | {
      readonly kind: 'keyed';
      readonly key: Name;
      readonly value: Value;
      readonly closes: boolean;
      readonly range: Range;
    }
  | {
      readonly kind: 'condition';
      readonly condition: WrittenCondition;
      readonly closes: boolean;
      readonly range: Range;
    }
  | { readonly kind: 'positional'; readonly value: Value; readonly closes: boolean; readonly range: Range };

export interface WrittenCondition {
  readonly path: Path;
  readonly comparison: '>=' | '<=' | '>' | '<' | '==' | '!=';
  readonly value: Value;
  readonly range: Range;
}

export interface Call {
  readonly path: Path;
  /** Written with parentheses, even empty ones. */
  readonly parens: boolean;
  readonly args: readonly Argument[];
  /** Some argument could not be read, so nothing may be concluded from one that is missing. */
  readonly broken: boolean;
  readonly range: Range;
}

export interface Step {
  readonly label?: Name;
  readonly call: Call;
  readonly range: Range;
}

export interface Chain {
  readonly steps: readonly Step[];
  /** Some step could not be read. */
  readonly broken: boolean;
  readonly range: Range;
}

export interface Parameter {
  readonly name: Name;
  readonly value: Value;
}

/** `path = value` of a profile or of `--set`. */
export interface Setting {
  /** `*` may be the first name. */
  readonly path: readonly Name[];
  readonly value: Value;
  readonly range: Range;
}

export type Item =
  | {
      readonly kind: 'use';
      readonly path: string;
      readonly pathRange: Range;
      readonly name: Name;
      readonly range: Range;
    }
  | { readonly kind: 'let'; readonly name: Name; readonly value: Value; readonly range: Range }
  | {
      readonly kind: 'param';
      readonly name: Name;
      readonly type?: Name;
      readonly value: Value;
      readonly range: Range;
    }
  | { readonly kind: 'data'; readonly name: Name; readonly chain: Chain; readonly range: Range }
  | { readonly kind: 'model'; readonly name: Name; readonly call: Call; readonly range: Range }
  | { readonly kind: 'template'; readonly name: Name; readonly value: Value; readonly range: Range }
  | { readonly kind: 'stage'; readonly name: Name; readonly call: Call; readonly range: Range }
  | {
      readonly kind: 'pipeline';
      /** Absent for the anonymous pipeline of a file. */
      readonly name?: Name;
      readonly parameters: readonly Parameter[];
      readonly chain: Chain;
      readonly range: Range;
    }
  | {
      readonly kind: 'profile';
      readonly name: Name;
      readonly settings: readonly Setting[];
      readonly range: Range;
    };

export type ItemOf<K extends Item['kind']> = Extract<Item, { readonly kind: K }>;

export interface Tree {
  readonly items: readonly Item[];
}
