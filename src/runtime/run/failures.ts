/** What went wrong, as a diagnostic with a place: in the pipeline's text, or in a data file. */

import { codes, type ProblemName } from '../../compiler/diagnostics/codes.ts';
import type { Job, Span } from '../../compiler/graph/graph.ts';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { DataError } from '../data/data-error.ts';
import { HubError } from '../hub/hub-error.ts';
import { MethodError } from '../methods/method.ts';
import { ModelError } from '../models/model-error.ts';
import { QuantizationError } from '../quantization/quantization-error.ts';
import { GateFailed } from '../stages/gate.ts';
import { StageError, Stopped } from '../stages/stage.ts';
import { StoreError } from '../store/store-error.ts';
import { TemplateError } from '../tokenizers/template-error.ts';
import { TokenizerError } from '../tokenizers/tokenizer-error.ts';
import type { RunEvent } from './events.ts';

type DiagnosticEvent = Extract<RunEvent, { type: 'diagnostic' }>;

export interface Failure {
  readonly status: 'failed' | 'gate_failed' | 'stopped';
  readonly exitCode: number;
  readonly diagnostic: DiagnosticEvent | undefined;
  /** What of the pipeline's text is to blame. */
  readonly span: Span | undefined;
}

interface Facts {
  readonly problem: ProblemName;
  readonly message: string;
  readonly option?: string | undefined;
  /** Of the option's list. */
  readonly item?: string | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly notes?: readonly string[] | undefined;
  readonly help?: readonly string[] | undefined;
}

/** Puts an error into words; what no class knows is a bug of ftc and says so. */
export function explainFailure(error: unknown, job: Job | undefined): Failure {
  if (error instanceof Stopped)
    return { status: 'stopped', exitCode: 130, diagnostic: undefined, span: undefined };
  const facts = factsOf(error, job);
  const { code, exit } = codes[facts.problem];
  const span = job && placeOf(facts, job);
  // A file without a line is missing or empty: what asked for it is to blame.
  const inData = facts.file !== undefined && facts.line !== undefined;
  const place = inData ? { file: facts.file, line: facts.line } : span;
  const asked =
    inData && span ? [`asked for by \`${job!.id}\` at ${span.file}:${span.line}:${span.column}`] : [];
  return {
    status: error instanceof GateFailed ? 'gate_failed' : 'failed',
    exitCode: exit,
    span,
    diagnostic: {
      type: 'diagnostic',
      ...(job && { stage: job.id }),
      code,
      message: facts.message,
      ...(place?.file !== undefined && { file: place.file }),
      ...(place?.line !== undefined && { line: place.line }),
      ...(!inData && span && { column: span.column }),
      notes: [...(facts.notes ?? []), ...asked],
      help: [...(facts.help ?? [])],
    },
  };
}

const placeOf = ({ option = '', item }: Facts, { spans, span }: Job): Span =>
  (item !== undefined && spans[`${option}.${item}`]) || spans[option] || span;

function factsOf(error: unknown, job: Job | undefined): Facts {
  if (error instanceof GateFailed)
    return { problem: 'gate-not-met', message: `the gate was not met: ${error.message}` };
  if (error instanceof StageError) return { ...error.place, problem: error.kind, message: error.message };
  if (error instanceof MethodError)
    return {
      problem: 'method-does-not-fit',
      message: error.message,
      option: error.option,
      item: error.item,
      help: error.help,
    };
  if (error instanceof ModelError)
    return {
      problem: 'model-does-not-fit',
      message: `\`${job?.model?.name ?? 'the model'}\` cannot be built: ${error.message}`,
      option: 'model',
      help: error.help,
    };
  if (error instanceof DataError)
    return {
      problem: error.kind,
      message: error.message,
      option: job && Object.keys(job.data)[0],
      file: error.file,
      line: error.line,
      notes: error.notes,
      help: error.help,
    };
  if (error instanceof HubError)
    return {
      problem: error.problem,
      message: error.message,
      option: 'model',
      notes: error.notes,
      help: error.help,
    };
  if (error instanceof StoreError)
    return { problem: STORE_PROBLEMS[error.kind], message: error.message, help: error.help };
  if (error instanceof TemplateError)
    return { problem: 'bad-template', message: error.message, option: 'template' };
  if (error instanceof QuantizationError) return { problem: 'broken-artifact', message: error.message };
  if (error instanceof CheckpointError || error instanceof TokenizerError)
    return {
      problem: job?.kind === 'open' ? 'unreadable-model' : 'broken-artifact',
      message: error.message,
      option: 'model',
      help: error.help,
    };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    problem: 'internal',
    message: error instanceof Error ? error.message : String(error),
    notes: text
      .split('\n')
      .slice(1, 6)
      .map((l) => l.trim()),
  };
}

const STORE_PROBLEMS: { readonly [K in StoreError['kind']]: ProblemName } = {
  'disk-full': 'not-enough-disk',
  'no-permission': 'not-writable',
  'other-version': 'other-store-version',
  'in-use': 'store-in-use',
  damaged: 'broken-artifact',
  misuse: 'internal',
};
