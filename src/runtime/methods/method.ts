/** A training method: which tensors are trained, which are added, and the rewrite that brings them into a program. */
import type { Json, MethodEntry } from '../../compiler/catalog.ts';
import type { LinearLayer, ModelConfig, ParameterSpec } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import type { Program } from '../programs/program.ts';
import type { KeptWeight, LowRankShape } from '../quantization/quantized-tensor.ts';

/** What a method needs to know of the model, without knowing the family. */
export interface MethodTarget {
  readonly config: ModelConfig;
  readonly parameters: readonly ParameterSpec[];
  readonly linears: readonly LinearLayer[];
  readonly blocks: readonly (readonly string[])[];
}

/** A model's weights by name, as programs read them. */
export interface BaseWeights {
  get(name: string): Tensor | undefined;
}

export interface AppliedMethod {
  /** Tensors whose gradients are wanted: base weights, or the added ones. */
  readonly trainable: readonly string[];
  /**
   * Tensors that the method brings along, PEFT names (`base_model.model.….lora_A.weight` (r, in), `lora_B` (out, r)), also
   * those that stay as they start.
   */
  readonly added: readonly ParameterSpec[];
  /** Start values of added tensors that follow from the base's weights, in place of those that `added` describes. */
  start?(base: BaseWeights): ReadonlyMap<string, Tensor>;
  /** Frozen weights that programs compute anew from added tensors, so that a gradient for the whole weight is wanted. */
  readonly rebuilt?: readonly string[];
  /**
   * Brings the added tensors into any program of the model (training, scoring, decoding); the identity for full and freeze.
   * `dropout: false` leaves the mask inputs out, for programs that never train. Default: they are there where the
   * method has dropout.
   */
  rewrite(program: Program, options?: { readonly dropout?: boolean }): Program;
  /** Frozen weights of the base that are kept quantized, and how. */
  readonly quantized?: ReadonlyMap<string, KeptWeight>;
  /** Present for adapters: what is written instead of the whole model. */
  readonly adapter?: {
    /** PEFT's adapter_config.json. */
    readonly config: Readonly<Record<string, Json>>;
    /** What it adds to weights of the base, by their names; undefined where it scales them too (DoRA). */
    readonly adds: ReadonlyMap<string, LowRankShape | undefined>;
    /**
     * New values of the base weights that the adapter changes: W + scale · B A, in the layout of the base, which stays as
     * it is; the same numbers as from reading the exported adapter. `added` has every tensor of `AppliedMethod.added`.
     */
    merge(base: BaseWeights, added: ReadonlyMap<string, Tensor>): Map<string, Tensor>;
    /**
     * The tensors of PEFT's adapter_model.safetensors, for the base as it is; slices of a fused weight become one adapter
     * of their summed rank.
     */
    export(added: ReadonlyMap<string, Tensor>, base: BaseWeights): Map<string, Tensor>;
  };
  /** Names of f32 inputs that must be fed with dropout masks (0 or 1 / (1 − p)) in training, with their probability. */
  readonly dropout: readonly { readonly input: string; readonly probability: number }[];
}

export interface Method {
  readonly entry: MethodEntry;
  /** Errors: MethodError where options do not fit the model (r larger than the matrix, a target that matches nothing). */
  apply(target: MethodTarget, options: Readonly<Record<string, Json>>): AppliedMethod;
}

/** `option` is the method's option at fault, `item` the word of its list; `message` in the voice of a diagnostic: lower case, no full stop. */
export class MethodError extends Error {
  override readonly name = 'MethodError';
  constructor(
    readonly option: string,
    message: string,
    readonly help: readonly string[] = [],
    readonly item?: string,
  ) {
    super(message);
  }
}
