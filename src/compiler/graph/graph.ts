/** The execution graph: what the compiler hands to the runtime and to targets. Plain JSON, stable order. */
import type { Slot } from '../catalog.ts';
import type { DataExpression, FilledDefault, ModelCall, Options, StageJob } from '../checked/stage-job.ts';
import type { Span } from '../source/span.ts';

export type { DataExpression, FilledDefault, ModelCall, Options, Span, StageJob };

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

/** A stage with its neighbours: what runs. */
export interface Job extends StageJob {
  /** The chat template's text, where this stage renders chats or trains a tokenizer. */
  readonly template?: string;
  readonly conditions: readonly Condition[];
  /** The job whose output fills each slot this job reads (absent where optional and unwritten). */
  readonly inputs: readonly { readonly slot: Slot; readonly from: string }[];
}

export interface ExecutionGraph {
  readonly format: 1;
  /** Name of the pipeline, or the file's stem where it is anonymous. */
  readonly pipeline: string;
  /** In an order in which they can run. */
  readonly jobs: readonly Job[];
}
