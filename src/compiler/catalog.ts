/**
 * What the language can name: interfaces only. The runtime fills them in (`src/runtime/catalog.ts`) and hands
 * the result to `compile(source, catalog)`, so one file holds a stage's name, options, docs and its builder
 * and the compiler stays pure.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What an arrow carries from stage to stage. */
export type Slot = 'policy' | 'tokenizer' | 'template' | 'reward' | 'metrics' | 'files';

/** What a number measures; decides which unit suffixes are legal on it. */
export type Unit = 'count' | 'tokens' | 'steps' | 'epochs' | 'bytes' | 'seconds' | 'ratio' | 'rate';

/** One option: a JSON Schema (validated by ajv) with the annotations ftc understands. */
export interface OptionSchema {
  readonly description: string;
  readonly type?: 'number' | 'integer' | 'string' | 'boolean' | 'array';
  readonly enum?: readonly (string | number)[];
  /** What others call a choice: its name here. */
  readonly otherNames?: { readonly [name: string]: string };
  readonly items?: Omit<OptionSchema, 'description'>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  /** Of an integer. */
  readonly powerOfTwo?: true;
  readonly minItems?: number;
  /** No item of the list may be repeated. */
  readonly uniqueItems?: true;
  readonly default?: Json;
  /** In words, where the default is computed ("2 × r", "the first template of the pipeline"). */
  readonly defaultNote?: string;
  /**
   * The default where it follows from the call's other options, filled in before it, and from the stage's method; pure.
   * `defaultNote` says in words how. `undefined` leaves the option out.
   */
  readonly computedDefault?: (
    options: { readonly [name: string]: Json },
    method: string | undefined,
  ) => Json | undefined;
  /**
   * What it does nothing beside, given the call's other options, filled in before it, the stage's method and its own value; pure.
   * `undefined` where it does something. An option that would do nothing must not be written.
   */
  readonly withoutEffect?: (
    options: { readonly [name: string]: Json },
    method: string | undefined,
    value: Json,
  ) => { readonly beside: string; readonly note: string } | undefined;
  /** The default is the value of this `param` where the file declares one (for `seed`). */
  readonly defaultFromParam?: string;
  readonly unit?: Unit;
  /** A bare word or string names a declared item of this kind; a call of that kind may stand here too. */
  readonly refers?: 'data' | 'model' | 'template' | 'stage';
  /**
   * With `refers: 'model'`: a model that lies somewhere may stand here. It is opened before the stage and fills this slot,
   * in place of what the arrow brings.
   */
  readonly opens?: 'policy' | 'reward';
  /** Index of the positional argument that fills this option (`text("notes.txt")`). */
  readonly position?: number;
  /** Does not change the numbers a stage computes, so it is left out of the content key. */
  readonly cosmetic?: boolean;
  /** A path written, or read, relative to the pipeline file. */
  readonly path?: 'read' | 'write';
}

export interface CallEntry {
  readonly name: string;
  /** One line, lower case, no full stop. */
  readonly summary: string;
  /** Markdown for `ftc docs NAME`: what it does, formula, source. */
  readonly details?: string;
  /** A legal line of `.ftp`; a test compiles it. */
  readonly example: string;
  readonly options: { readonly [name: string]: OptionSchema };
  readonly required?: readonly string[];
}

export type MethodEntry = CallEntry;

export interface ModelEntry extends CallEntry {
  /** `existing`: a model with weights, that lies in a directory or on a hub; `new`: a family that weights are made for. */
  readonly weights: 'new' | 'existing';
}

export interface StageEntry extends CallEntry {
  /** Methods this stage hosts; empty where it trains nothing. */
  readonly methods: readonly string[];
  readonly defaultMethod?: string;
  readonly reads: readonly { readonly slot: Slot; readonly required: boolean }[];
  readonly writes: readonly Slot[];
  /** What a gate may ask of it: `label.metric` or, where only one stage makes it, `metric`. */
  readonly metrics: readonly string[];
  /** The option that names the rows, with the shapes of row it takes; absent where the stage reads none. */
  readonly data?: { readonly option: string; readonly rows: string };
  /** Takes conditions (`path >= value`) as arguments. */
  readonly conditions?: boolean;
}

export interface Catalog {
  readonly stages: { readonly [name: string]: StageEntry };
  readonly methods: { readonly [name: string]: MethodEntry };
  /** Choices of the option `optimizer`; their options are options of the stages that train. */
  readonly optimizers: { readonly [name: string]: CallEntry };
  readonly models: { readonly [name: string]: ModelEntry };
  /** `text`, `jsonl`, `csv`, `mix`: where rows come from. */
  readonly sources: { readonly [name: string]: CallEntry };
  /** `split`, `sample`, `columns`: rows → rows. */
  readonly operators: { readonly [name: string]: CallEntry };
  /** The chat template of a pipeline that declares none (jinja). */
  readonly defaultTemplate: string;
}
