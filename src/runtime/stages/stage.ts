/**
 * What a stage is, and what the run gives it. A stage never knows where files lie or which engine computes.
 * Long because it is one contract, read from top to bottom: interfaces only.
 */
import type { StageEntry } from '../../compiler/catalog.ts';
import type { Job } from '../../compiler/graph/graph.ts';
import type { Row } from '../data/row.ts';
import type { Executor } from '../executables/executable.ts';
import type { LowRank } from '../methods/merge-peft.ts';
import type { AppliedMethod } from '../methods/method.ts';
import type { ModelConfig, ModelFamily } from '../models/model.ts';
import type { StateBytes } from '../optimizers/optimizer.ts';
import type { Tensor } from '../programs/ops.ts';
import type { Program } from '../programs/program.ts';
import type { KeptWeight, QuantizationOptions, QuantizedTensor } from '../quantization/quantized-tensor.ts';
import type { Metrics, RunEvent, Sample } from '../run/events.ts';
import type { Tokenizer } from '../tokenizers/load-tokenizer.ts';
import type { TokenizerFiles } from '../tokenizers/tokenizer-files.ts';
import type { RowLengths } from './estimates/row-lengths.ts';
import type { TokenStore } from './tokens.ts';
import type { Treatment } from './treatment.ts';

export interface Stage {
  readonly entry: StageEntry;
  /** What it would cost; reads the data, never the weights. */
  estimate(context: EstimateContext): Promise<Estimate>;
  /** Errors: StageError, DataError, MethodError for what a user can mend; Stopped when asked to stop. */
  run(context: StageContext): Promise<StageResult>;
}

/** A model's weights, by Hugging Face name. */
export interface Weights extends ReadonlyMap<string, Tensor> {
  /** One of them, not kept in memory for being read. */
  read(name: string): Tensor;
  /** Its codes, where it lies quantized in its file. */
  codes(name: string): QuantizedTensor | undefined;
  /** Its codes and the adapters folded into it, where it was trained as these. */
  beside(name: string): CodesAndAdapters | undefined;
}

export interface CodesAndAdapters {
  readonly codes: QuantizedTensor;
  readonly adapters: readonly LowRank[];
}

/** A causal language model with everything needed to use it. */
export interface Policy {
  readonly family: ModelFamily;
  readonly config: ModelConfig;
  /** Earlier adapters merged. */
  readonly weights: ReadonlyMap<string, Tensor> | Weights;
  readonly tokenizer: Tokenizer;
  /** As they are written to a model's directory. */
  readonly tokenizerFiles: TokenizerFiles;
  /** Jinja. */
  readonly template: string;
  /** Tokens that end an answer: end of text, and the template's end of a turn. */
  readonly stop: readonly number[];
}

/** A reward model: a policy's body with `score.weight` (1, D) instead of a head. */
export interface Reward extends Policy {
  readonly score: Tensor;
}

/** A policy with what a method adds to it, being trained. */
export interface TrainedModel {
  readonly policy: Policy;
  readonly method: AppliedMethod;
  /** Live values of every trained tensor, changed in place at every step; extra heads included. */
  readonly trainable: ReadonlyMap<string, Tensor>;
  /** The weights that stay as they are; in codes where the method says so (`quantizedParameters`). */
  readonly frozen: ReadonlyMap<string, Tensor> | Weights;
}

/** One piece of work for the gradient: feeds of the program for shape `key`. */
export interface Batch {
  readonly key: string;
  readonly feeds: ReadonlyMap<string, Tensor>;
}

export interface TrainerOptions {
  readonly model: TrainedModel;
  /**
   * The forward program for a batch's key, without what the method adds: a scalar output `loss`, other scalar outputs are
   * summed over the step.
   */
  program(key: string): Program;
  /** Whether training drops out what the method says. Default: yes. */
  readonly dropout?: boolean;
}

/** A tensor of a checkpoint: in memory, or in a file where an optimizer's state is paged. */
export type CheckpointTensor =
  | Tensor
  | {
      readonly dtype: 'f32' | 'u8';
      readonly shape: readonly number[];
      chunks(): AsyncIterable<Uint8Array>;
    };

/** Gradients and updates. */
export interface Trainer {
  /** Sums of the scalar outputs over the batches, and the gradients of the sum of their losses. */
  accumulate(
    batches: readonly Batch[],
    step: number,
  ): Promise<{ sums: Map<string, number>; gradients: Map<string, Float32Array> }>;
  /** Clips, takes one optimizer step in place; returns the norm before clipping. Errors: StageError on a non-finite norm. */
  apply(gradients: Map<string, Float32Array>, learningRate: number): Promise<number>;
  /** Scalar outputs without gradients. */
  evaluate(batches: Iterable<Batch> | AsyncIterable<Batch>): Promise<Map<string, number>>;
  /** Updates made so far: of ppo several a step. */
  readonly updates: number;
  checkpoint(): Map<string, CheckpointTensor>;
  /** Takes back what a checkpoint of this trainer holds. */
  restore(read: (name: string) => Promise<Tensor>): Promise<void>;
  dispose(): Promise<void>;
}

export interface LoopTask {
  readonly trainer: Trainer;
  readonly steps: number;
  /** One optimizer step: gradients, update, metrics. Deterministic in `step` and the trainer's state. */
  step(step: number): Promise<Metrics>;
  /** Tokens of a step, for the speed shown. */
  tokensPerStep?(step: number): number;
  /** Metrics on held-out rows, without the prefix `eval_`. */
  evaluate?(step: number): Promise<Metrics>;
  /** What else a resumed run needs (adaptive KL coefficient, running statistics). */
  state?(): Record<string, number>;
  restore?(state: Readonly<Record<string, number>>): void;
}

/** Bytes that a stage keeps while it runs. */
export interface Scratch {
  /** Else they lie in a file, which is gone after the stage. */
  readonly inMemory: boolean;
  /** Fills all of `into`. */
  read(into: Uint8Array, position: number): Promise<void>;
  write(from: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

export interface StageContext {
  readonly job: Job;
  /** A model family of the catalog by name. */
  family(name: string): ModelFamily;
  /** The job's method on this model. Errors: MethodError. */
  method(policy: Policy): AppliedMethod;
  /** Artifacts of earlier stages. Errors: StageError where the slot is empty. */
  policy(): Promise<Policy>;
  reward(): Promise<Reward | undefined>;
  /** Metrics that an earlier job finished with. */
  metricsOf(job: string): Metrics;
  rows(option: string, split: 'train' | 'test' | 'all'): AsyncIterable<Row>;
  /** Sent through the passes and loaded on the run's device; disposed when the stage ends, if not before. */
  load(
    program: Program,
    frozen?: ReadonlyMap<string, Tensor>,
    treatment?: Pick<Treatment, 'adapt' | 'quantized' | 'eightBit'>,
  ): Promise<Executor>;
  trainer(options: TrainerOptions): Trainer;
  /** Room for so many bytes, in memory or, where that would be much of it, in a file; given back when the stage ends. */
  scratch(bytes: number): Promise<Scratch>;
  /** Room for token ids less than `limit`, read again by their position; given back when the stage ends. */
  tokens(limit: number): TokenStore;
  /** Runs the steps: learning rate, events, evaluation, checkpoints, resume. Returns the metrics of the last step and evaluation. */
  loop(task: LoopTask): Promise<Metrics>;
  learningRate(step: number, steps: number): number;
  emit(event: RunEvent): void;
  message(level: 'info' | 'warning', text: string): void;
  samples(step: number, samples: readonly Sample[]): void;
  /** Throws Stopped where the user asked to stop; long stages without a loop call it between pieces. */
  checkStop(): void;
  /** Checks the model that the job opens, and writes where it lies as the artifact of each slot. Errors: CheckpointError, HubError. */
  openModel(): Promise<void>;
  /** Writes an artifact for a slot. */
  savePolicy(model: TrainedModel): Promise<void>;
  saveReward(model: TrainedModel, score: Tensor): Promise<void>;
  /** Writes files where the user wants them, and compares them with the model in the run. Errors: StageError where they part. */
  exportPolicy(form: ExportForm): Promise<ExportResult>;
}

/** How an export is written. */
export interface ExportForm {
  /** Directory or .gguf file, relative to the pipeline file. */
  readonly to: string;
  readonly format: 'hf' | 'gguf' | 'onnx';
  readonly what: 'policy' | 'reward';
  readonly as: 'merged' | 'adapter';
  /** Of the numbers that are not in codes; `base`: that of the checkpoint that the model started from. */
  readonly dtype: 'base' | 'f32' | 'f16' | 'bf16';
  /** hf: the linear weights of a merged model in codes. */
  readonly quantized?: QuantizationOptions | undefined;
  /** gguf: where it is not `dtype`. */
  readonly gguf?: 'f32' | 'f16' | 'q8_0' | 'q4_0' | undefined;
  /** Bytes of weights in one file, at most. */
  readonly shardBytes: number;
  /** Whether files that no earlier export wrote may be replaced. */
  readonly overwrite: boolean;
  /** As declared, for the model's card. */
  readonly license?: string | undefined;
  readonly language?: string | undefined;
}

export interface ExportResult {
  readonly path: string;
  /** For the log: what was quantized, how the files compare with the model in the run. */
  readonly notes: readonly string[];
  readonly metrics: Metrics;
}

export interface StageResult {
  readonly metrics: Metrics;
}

/** What the plan knows before anything runs. */
export interface EstimateContext {
  readonly job: Job;
  /** Model that reaches this stage, and how many tokens a byte of text makes with its tokenizer (measured or assumed). */
  readonly model?: PlannedModel;
  readonly reward?: PlannedModel;
  /** The model that the job opens: configuration and tokenizer, no weights. Errors: CheckpointError, HubError. */
  opened(): Promise<PlannedModel & Pick<Estimate, 'notes' | 'problem'>>;
  family(name: string): ModelFamily;
  method(family: ModelFamily, config: ModelConfig): AppliedMethod;
  /** Of the job's optimizer's state for trained tensors of these shapes, by name. */
  optimizerBytes(shapes: ReadonlyMap<string, readonly number[]>): StateBytes;
  rows(option: string, split: 'train' | 'test' | 'all'): AsyncIterable<Row>;
  /** What was found before in this side of the data, read as `as` says; else what `read` finds. */
  lengths(
    option: string,
    split: 'train' | 'test' | 'all',
    as: readonly unknown[],
    read: () => Promise<RowLengths>,
  ): Promise<RowLengths>;
  /** Tokens a byte of this option's text makes with a vocabulary of this size, from a sample. */
  tokensPerByte(option: string, vocabularySize: number): Promise<number>;
}

export interface PlannedModel {
  readonly family: ModelFamily;
  readonly config: ModelConfig;
  readonly tokensPerByte: number;
  /** Where it has been made. */
  readonly tokenizer?: Pick<Tokenizer, 'encode' | 'encodePieces' | 'tokenOf' | 'vocabularySize'>;
  /** Its own chat template, where it came with one. */
  readonly template?: string;
  /** Whose tensors it has, from the base up: the stages that made them, and their bytes. */
  readonly tensors?: readonly { readonly stage: string; readonly bytes: number }[];
  /** Which of its weights were trained as codes and adapters. */
  readonly codes?: ReadonlyMap<string, KeptWeight>;
}

export interface Estimate {
  readonly model?: PlannedModel;
  readonly parameters?: { readonly total: number; readonly trainable: number };
  readonly steps: number;
  /** Tokens over all steps. */
  readonly tokens: number;
  /** Programs the stage runs, with how often, in the order in which they are loaded: for memory and time. */
  readonly work: readonly PlannedWork[];
  /** What is not said is 0. */
  readonly held?: Partial<HeldBytes>;
  /** Tensors written at the end, in bytes. */
  readonly diskBytes: number;
  /** Of files that are gone when it ends, but for what frozen blocks made. */
  readonly scratchBytes?: number;
  readonly notes: readonly string[];
  /** What it will measure of these rows, where that depends on them; else all that its entry names. */
  readonly metrics?: readonly string[];
  /** What keeps the stage from being run, and not from being planned: an error that a user can mend. */
  readonly problem?: Error;
}

/** Bytes that a stage keeps while it runs, beside its programs and the weights that they read. */
export interface HeldBytes {
  /** Weights that no program reads: what another model does not share. */
  readonly weights: number;
  /** Of what is trained, which is trained in a copy. */
  readonly originals: number;
  /** What the optimizer keeps in memory. */
  readonly optimizer: number;
  /** Keys and values of the rows that are sampled. */
  readonly cache: number;
  /** What frozen blocks made of every row; in a file where it is much. */
  readonly rows: number;
  /** Where the rows are that it reads again, and their tokens as long as they are few. */
  readonly index: number;
}

export interface PlannedWork extends Treatment {
  /** As the stage builds it. */
  readonly program: Program;
  readonly runs: number;
  /** `fed`: every weight is given at each run, none is kept by the session. Default: those that are not trained are kept. */
  readonly weights?: 'kept' | 'fed';
  /** Whether it is let go of before the next program is loaded. */
  readonly released?: boolean;
  /** Bytes that live beside the program while it runs (optimizer state, caches, other models). */
  readonly besides?: number;
}

export { StageError, Stopped } from './stage-error.ts';
export type { EightBitTreatment, Treatment } from './treatment.ts';
