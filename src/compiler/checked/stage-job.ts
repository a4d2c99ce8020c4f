/** The parts of a job that checking a stage gives; the graph adds what comes from its neighbours. */
import type { Json, Slot } from '../catalog.ts';
import type { Span } from '../source/span.ts';

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

/** A default the compiler filled in: what `plan` prints. */
export interface FilledDefault {
  /** `sft.alpha` */
  readonly path: string;
  readonly value: Json;
  readonly from: string;
}

/** A call of a model: a family with sizes, or one that lies somewhere. */
export interface ModelCall {
  readonly name: string;
  readonly options: Options;
  /** Directory that relative paths start from, relative to the entry file. */
  readonly directory: string;
}

/** A stage by itself. */
export interface StageJob {
  /** The stage's label, unique in the graph: `sft`, `quick`. */
  readonly id: string;
  /** The stage's name in the catalog: `sft`, `eval`. */
  readonly kind: string;
  /** Every option with its value (units resolved to base numbers), defaults included; data, model and template apart. */
  readonly options: Options;
  readonly method?: { readonly name: string; readonly options: Options };
  readonly model?: ModelCall;
  /** By option name: `{ data: … }`, `{ prompts: … }`. */
  readonly data: { readonly [option: string]: DataExpression };
  readonly outputs: readonly Slot[];
  readonly defaults: readonly FilledDefault[];
  /** The step in the pipeline text, each option's value, and a list's words (`targets.gate`), for diagnostics at run time. */
  readonly span: Span;
  readonly spans: { readonly [option: string]: Span };
}
