/** Autoregressive decoding of a batch: the prompts at once, then a token a row and step from the cache. */
import type { Executor } from '../executables/executable.ts';
import { causalBiasTensor } from '../layers/mask.ts';
import type { ModelShape } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import type { Program } from '../programs/program.ts';
import { type Random, random } from '../random/random.ts';
import { type DecodedModel, prefillProgram, stepProgram } from './decoding-programs.ts';
import { KeyValueCache } from './key-value-cache.ts';
import { type Sampling, sampleToken } from './sampling.ts';

export interface DecoderOptions extends DecodedModel {
  /** Weights that it freezes need not be given at each call. */
  load(program: Program): Promise<Executor>;
  /** Fills the start of shorter prompts; any token. */
  readonly pad: number;
  /** Tokens of room that the cache starts with and grows by; each size compiles a program. Default 128. */
  readonly cacheStep?: number;
  /** Keeps one program at a time, where each holds weights of its own and there is one prompt. Default: all are kept. */
  readonly single?: boolean;
}

export interface DecodeOptions extends Sampling {
  readonly maxNewTokens: number;
  /** Tokens that end a row; the token itself is part of the result. */
  readonly stop: readonly number[];
  /** Each row draws from a stream of its own. Default: seed 0. */
  readonly random?: Random;
  /** Pad prompts to at least this, and reserve all the cache at once: then one shape serves every call. */
  readonly promptTokens?: number;
}

type Weights = ReadonlyMap<string, Tensor>;
const NO_TOKEN = -1;
const PROMPT_STEP = 16;
const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Programs are compiled once a shape and kept until `dispose`. */
export class Decoder {
  private readonly executors = new Map<string, Promise<Executor>>();
  private readonly cacheStep: number;

  constructor(private readonly options: DecoderOptions) {
    this.cacheStep = options.cacheStep ?? 128;
  }

  private async executor(key: string, build: () => Program): Promise<Executor> {
    const known = this.executors.get(key);
    if (known !== undefined) return known;
    if (this.options.single === true) await this.dispose();
    const loading = this.options.load(build());
    this.executors.set(key, loading);
    return loading;
  }

  /**
   * New tokens of one prompt as they come. `weights`: those that `load` does not freeze.
   * Errors: Error for an empty prompt, or one that does not fit the model's context.
   */
  async *stream(prompt: Int32Array, weights: Weights, options: DecodeOptions): AsyncGenerator<number, void> {
    for await (const [token] of this.steps([prompt], weights, options)) yield token!;
  }

  /** New tokens of each prompt, its stop token included. Rows do not influence each other. */
  async generate(
    prompts: readonly Int32Array[],
    weights: Weights,
    options: DecodeOptions,
  ): Promise<Int32Array[]> {
    const rows = prompts.map((): number[] => []);
    for await (const tokens of this.steps(prompts, weights, options)) {
      tokens.forEach((token, row) => {
        if (token !== NO_TOKEN) rows[row]!.push(token);
      });
    }
    return rows.map((row) => Int32Array.from(row));
  }

  /** A token a row at each step; NO_TOKEN for rows that have ended. Ends when all have, or the context is full. */
  private async *steps(
    prompts: readonly Int32Array[],
    weights: Weights,
    options: DecodeOptions,
  ): AsyncGenerator<number[], void> {
    const { family, config } = this.options;
    const shape = family.shape(config);
    const longest = Math.max(...prompts.map((prompt) => prompt.length));
    this.check(prompts, longest, shape.context);
    const tokens = promptLength(shape, longest, options.promptTokens ?? 0);
    const padding = prompts.map((prompt) => tokens - prompt.length);
    const most = options.maxNewTokens;
    const reserved = options.promptTokens === undefined ? Math.min(most, this.cacheStep) : most;
    const cache = new KeyValueCache(shape, padding, roundUp(tokens + reserved, PROMPT_STEP));
    const streams = rowStreams(options.random ?? random(0), prompts.length);
    const ended = prompts.map(() => false);
    let logits = await this.prefill(prompts, padding, tokens, cache, weights);
    for (let step = 0; step < most; step++) {
      const chosen = streams.map((stream, row) => {
        if (ended[row] || prompts[row]!.length + step >= shape.context) return NO_TOKEN;
        const from = row * shape.vocabularySize;
        return sampleToken(logits.subarray(from, from + shape.vocabularySize), options, stream);
      });
      chosen.forEach((token, row) => {
        ended[row] ||= token === NO_TOKEN || options.stop.includes(token);
      });
      if (chosen.every((token) => token === NO_TOKEN)) return;
      yield chosen;
      if (ended.every(Boolean) || step + 1 === most) return;
      logits = await this.next(chosen, padding, cache, weights);
    }
  }

  private check(prompts: readonly Int32Array[], longest: number, context: number): void {
    if (prompts.some((prompt) => prompt.length === 0)) throw new Error('a prompt has no token');
    if (longest > context) {
      throw new Error(`a prompt has ${longest} tokens; the model's context holds ${context}`);
    }
  }

  /** Logits (B, V) after the prompts. */
  private async prefill(
    prompts: readonly Int32Array[],
    padding: readonly number[],
    tokens: number,
    cache: KeyValueCache,
    weights: Weights,
  ): Promise<Float32Array> {
    const batch = prompts.length;
    const ids = new Int32Array(batch * tokens).fill(this.options.pad);
    const positions = new Int32Array(batch * tokens);
    prompts.forEach((prompt, row) => {
      ids.set(prompt, row * tokens + padding[row]!);
      for (let t = 0; t < prompt.length; t++) positions[row * tokens + padding[row]! + t] = t;
    });
    const executor = await this.executor(`prefill ${batch} ${tokens}`, () =>
      prefillProgram(this.options, batch, tokens),
    );
    const outputs = await executor.run(
      new Map<string, Tensor>([
        ...weights,
        ['ids', { dtype: 'i32', shape: [batch, tokens], data: ids }],
        ['positions', { dtype: 'i32', shape: [batch, tokens], data: positions }],
        ['bias', causalBiasTensor(tokens, padding)],
      ]),
    );
    cache.append(outputs, tokens);
    return outputs.get('logits')!.data as Float32Array;
  }

  /** Logits (B, V) after one more token a row. */
  private async next(
    chosen: readonly number[],
    padding: readonly number[],
    cache: KeyValueCache,
    weights: Weights,
  ): Promise<Float32Array> {
    if (cache.length === cache.capacity)
      cache.grow(cache.capacity + roundUp(Math.max(this.cacheStep, cache.capacity / 2), PROMPT_STEP));
    const { context } = this.options.family.shape(this.options.config);
    const shape = [chosen.length, 1];
    const ids = Int32Array.from(chosen, (token) => (token === NO_TOKEN ? this.options.pad : token));
    const positions = Int32Array.from(padding, (first) => Math.min(cache.length - first, context - 1));
    const executor = await this.executor(`step ${chosen.length} ${cache.capacity}`, () =>
      stepProgram(this.options, chosen.length, cache.capacity),
    );
    const feeds = cache.feeds();
    for (const [name, tensor] of weights) feeds.set(name, tensor);
    feeds.set('ids', { dtype: 'i32', shape, data: ids });
    feeds.set('positions', { dtype: 'i32', shape, data: positions });
    const outputs = await executor.run(feeds);
    cache.append(outputs, 1);
    return outputs.get('logits')!.data as Float32Array;
  }

  async dispose(): Promise<void> {
    const loaded = [...this.executors.values()];
    this.executors.clear();
    for (const executor of loaded) await (await executor).dispose();
  }
}

/** Tokens that prompts are padded to: few lengths, each compiled once. No padding where it would change what is computed. */
function promptLength({ context, fixedUpTo = context }: ModelShape, longest: number, wanted: number): number {
  const rounded = roundUp(Math.max(longest, wanted), PROMPT_STEP);
  return Math.max(longest, Math.min(rounded, context, fixedUpTo));
}

/** A stream for each row, so that a row's tokens do not depend on how long the others run. */
function rowStreams(source: Random, rows: number): Random[] {
  return Array.from({ length: rows }, (_, row) => random(source.integer(2 ** 31), 'row', row));
}
