/** The execution graph: what the compiler hands to the runtime and to targets. Plain JSON, stable order. */
import type { Json, Slot } from '../catalog.ts';
import type { Span } from '../source/span.ts';

export type { Span };

export type Options = { readonly [name: string]: Json };

/** Rows: a source and what is done to them in order. Paths stay relative to the file that wrote them. */
export interface DataExpression {
  /** Name of the `data` item; absent for an inline call or the convention. Never part of a key. */
  readonly name?: string;
  /** `convention`: `data/<stage>.{txt,jsonl,csv,parquet}` beside the pipeline file, chosen when planning. */
  readonly source: {
    readonly name: string;
    readonly options: Options;
    readonly inputs: readonly DataExpression[];
  };
  readonly operators: readonly { readonly name: string; readonly options: Options }[];
  /** Directory that relative paths start from (an imported file's own directory), relative to the entry file. */
  readonly directory: string;
  readonly span: Span;
}

export interface Condition {
  /** As written, for people: `quick.perplexity <= 40`. */
  readonly text: string;
  /** Job that makes the metric. */
  readonly job: string;
  readonly metric: string;
  readonly comparison: '>=' | '<=' | '>' | '<' | '==' | '!=';
  readonly value: number;
  readonly span: Span;
}

/** A default the compiler filled in: what `plan` prints. */
export interface FilledDefault {
  /** `sft.alpha` */
  readonly path: string;
  readonly value: Json;
  readonly from: string;
}

export interface Job {
  /** The stage's label, unique in the graph: `sft`, `quick`. */
  readonly id: string;
  /** The stage's name in the catalog: `sft`, `eval`. */
  readonly kind: string;
  /** Every option with its value (units resolved to base numbers), defaults included; data, model and template apart. */
  readonly options: Options;
  readonly method?: { readonly name: string; readonly options: Options };
  readonly model?: { readonly name: string; readonly options: Options };
  /** By option name: `{ data: … }`, `{ prompts: … }`. */
  readonly data: { readonly [option: string]: DataExpression };
  /** The chat template's text, where this stage renders chats or trains a tokenizer. */
  readonly template?: string;
  readonly conditions: readonly Condition[];
  /** The job whose output fills each slot this job reads (absent where optional and unwritten). */
  readonly inputs: readonly { readonly slot: Slot; readonly from: string }[];
  readonly outputs: readonly Slot[];
  readonly defaults: readonly FilledDefault[];
  /** The step in the pipeline text, and each option's value, for diagnostics at run time. */
  readonly span: Span;
  readonly spans: { readonly [option: string]: Span };
}

export interface ExecutionGraph {
  readonly format: 1;
  /** Name of the pipeline, or the file's stem where it is anonymous. */
  readonly pipeline: string;
  /** In an order in which they can run. */
  readonly jobs: readonly Job[];
}
