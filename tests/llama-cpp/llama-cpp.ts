/**
 * llama.cpp as node-llama-cpp prebuilds it, driven through its binding: what a GGUF file is checked with. The binding has
 * no stable interface; the version is pinned in package.json beside this file.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface Model {
  init(): Promise<boolean>;
  tokenize(text: string, special: boolean): Uint32Array;
  getTrainContextSize(): number;
  isEogToken(token: number): boolean;
  shouldPrependBosToken(): boolean;
  tokenBos(): number;
  tokenEos(): number;
  eotToken(): number;
  getTokenString(token: number): string;
  dispose(): Promise<void>;
}

interface Context {
  init(): Promise<boolean>;
  initBatch(size: number): void;
  addToBatch(sequence: number, position: number, tokens: Uint32Array, withLogits: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  sampleToken(
    index: number,
    sampler: Sampler,
    probabilities: false,
    confidence: false,
    logits: true,
  ): Promise<[number, undefined, undefined, number[]]>;
  sampleToken(index: number, sampler: Sampler): Promise<number>;
  dispose(): Promise<void>;
}

interface Sampler {
  applyConfig(config: { readonly temperature: number }): void;
  dispose(): void;
}

interface Binding {
  readonly AddonModel: new (path: string, options: object) => Model;
  readonly AddonContext: new (model: Model, options: object) => Context;
  readonly AddonSampler: new (model: Model) => Sampler;
  markLoaded(): boolean;
  setLogger(logger: (level: number, message: string) => void): void;
  setLoggerLogLevel(level: number): void;
  loadBackends(directory?: string): void;
  init(): Promise<void>;
}

const require = createRequire(import.meta.url);
const packageName = `@node-llama-cpp/${process.platform}-${process.arch}`;

function findBinary(): string | undefined {
  try {
    const folder = dirname(dirname(require.resolve(packageName)));
    return join(folder, 'bins', `${process.platform}-${process.arch}`, 'llama-addon.node');
  } catch {
    return undefined;
  }
}

const binary = findBinary();

/** Why llama.cpp cannot be used here; undefined where it can. */
export const noLlamaCpp = binary === undefined ? `${packageName} is not installed` : undefined;

let loading: Promise<Binding> | undefined;
/** Warnings and errors since the last model was opened. */
const messages: string[] = [];

function load(): Promise<Binding> {
  loading ??= (async () => {
    const binding = require(binary!) as Binding;
    binding.markLoaded();
    binding.setLogger((_, message) => messages.push(message));
    binding.setLoggerLogLevel(2);
    binding.loadBackends();
    binding.loadBackends(dirname(binary!));
    await binding.init();
    return binding;
  })();
  return loading;
}

export interface LlamaCpp {
  readonly model: Model;
  /** Special tokens written in the text are matched; none is added. */
  tokenize(text: string): number[];
  /** The likeliest tokens after the prompt, keys and values in f32. `seen` is called with each as it comes. */
  greedy(prompt: readonly number[], count: number, seen?: (token: number) => void): Promise<number[]>;
  /** Of every token, after the last of these. */
  logits(ids: readonly number[]): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Errors: Error with what llama.cpp says of a file that it does not load. */
export async function openLlamaCpp(
  path: string,
  { threads = 1, contextTokens = 128 } = {},
): Promise<LlamaCpp> {
  const binding = await load();
  messages.length = 0;
  const model = new binding.AddonModel(path, { addonExports: binding, gpuLayers: 0, useMmap: true });
  const loaded = await model.init().catch(() => false);
  if (!loaded) throw new Error(`llama.cpp does not load ${path}: ${messages.join('')}`);
  const inContext = async <T>(run: (context: Context, sampler: Sampler) => Promise<T>): Promise<T> => {
    const settings = {
      contextSize: contextTokens,
      batchSize: contextTokens,
      sequences: 1,
      flashAttention: false,
    };
    const context = new binding.AddonContext(model, {
      ...settings,
      threads,
      kvCacheKeyType: 0,
      kvCacheValueType: 0,
    });
    if (!(await context.init())) throw new Error('llama.cpp makes no context');
    const sampler = new binding.AddonSampler(model);
    sampler.applyConfig({ temperature: 0 });
    try {
      return await run(context, sampler);
    } finally {
      sampler.dispose();
      await context.dispose();
    }
  };
  const decode = async (context: Context, tokens: readonly number[], position: number): Promise<number> => {
    context.initBatch(tokens.length);
    const [index] = context.addToBatch(
      0,
      position,
      Uint32Array.from(tokens),
      Uint32Array.of(tokens.length - 1),
    );
    await context.decodeBatch();
    return index!;
  };
  return {
    model,
    tokenize: (text) => [...model.tokenize(text, true)],
    greedy: (prompt, count, seen) =>
      inContext(async (context, sampler) => {
        const tokens: number[] = [];
        let index = await decode(context, prompt, 0);
        while (tokens.length < count) {
          const token = await context.sampleToken(index, sampler);
          tokens.push(token);
          seen?.(token);
          if (tokens.length < count)
            index = await decode(context, [token], prompt.length + tokens.length - 1);
        }
        return tokens;
      }),
    logits: (ids) =>
      inContext(async (context, sampler) => {
        const index = await decode(context, ids, 0);
        const [, , , pairs] = await context.sampleToken(index, sampler, false, false, true);
        const logits = new Float32Array(pairs.length / 2);
        for (let i = 0; i < pairs.length; i += 2) logits[pairs[i]!] = pairs[i + 1]!;
        return logits;
      }),
    dispose: () => model.dispose(),
  };
}
