/**
 * The blocks below the lowest one that is trained, computed once for every row instead of once for every visit: stages
 * that see their rows more than once train the upper part of the program alone. B rows, T tokens, D width.
 */
import { readableBytes } from '../../../compiler/diagnostics/words/words.ts';
import type { AppliedMethod } from '../../methods/method.ts';
import type { ModelShape } from '../../models/model.ts';
import type { Program } from '../../programs/program.ts';
import { frozenEdge, PREFIX, prefixOf, suffixOf } from '../../rewrites/cut-prefix.ts';
import type { Batch, Scratch, StageContext, TrainedModel } from '../stage.ts';
import { eightBitOf } from './eight-bit.ts';
import { hiddenRows } from './language-model-program.ts';
import { paddedLengths, type SequenceBatch } from './padded-batches.ts';

export interface FrozenPrefix {
  /** What is left of a program once the prefix is fed. */
  program(whole: Program): Program;
  /** A batch as that program reads it. */
  feed(batch: SequenceBatch): Promise<Batch>;
}

export interface FrozenPrefixOptions {
  readonly model: TrainedModel;
  /** Any program of the model in training. */
  readonly program: Program;
  /** Those that will be seen, in evaluations too: the same arrays that batches name. */
  readonly sequences: readonly Int32Array[];
  /** Whether any are seen more than once in training. */
  readonly repeated: boolean;
  /** Rows of a batch. */
  readonly size: number;
}

const nothingFrozen: FrozenPrefix = { program: (whole) => whole, feed: async (batch) => batch };

/** How many blocks need not be computed at every step: 0 where rows are seen once, or what is trained begins below. */
export function frozenBlocks({
  method,
  trained,
  program,
  repeated,
}: {
  readonly method: AppliedMethod;
  readonly trained: Iterable<string>;
  readonly program: Program;
  readonly repeated: boolean;
}): number {
  if (!repeated) return 0;
  const names = new Set(trained);
  return frozenEdge(method.rewrite(program), (name) => names.has(name));
}

/** Whether what a row's tokens become depends on how far its batch is padded: then no row passes alone. */
export function paddingMatters({ fixedUpTo, context }: ModelShape, lengths: readonly number[]): boolean {
  if (fixedUpTo === undefined || lengths.length === 0) return false;
  return paddedLengths(lengths, context).at(-1)! > fixedUpTo;
}

/** Bytes that are kept of so many tokens. */
export const prefixBytes = (tokens: number, width: number): number => 4 * width * tokens;

/**
 * Passes every row through the frozen blocks, in batches of rows of like length that do not depend on the order of
 * training, so that a resumed run has the same values; then lets go of these blocks.
 */
export async function frozenPrefix(
  context: StageContext,
  options: FrozenPrefixOptions,
): Promise<FrozenPrefix> {
  const { model, sequences, program, repeated } = options;
  const trained = model.trainable.keys();
  const shape = model.policy.family.shape(model.policy.config);
  const lengths = sequences.map((ids) => ids.length);
  if (paddingMatters(shape, lengths)) return nothingFrozen;
  const edge = frozenBlocks({ method: model.method, trained, program, repeated });
  if (edge === 0) return nothingFrozen;
  const { width } = shape;
  const starts = new Map<Int32Array, number>();
  let bytes = 0;
  for (const ids of sequences) {
    starts.set(ids, bytes);
    bytes += prefixBytes(ids.length, width);
  }
  const scratch = await context.scratch(bytes);
  context.message(
    'info',
    `rows pass the ${edge === 1 ? 'frozen block' : `${edge} frozen blocks`} once: ${sequences.length} rows, ${readableBytes(bytes)} kept ${scratch.inMemory ? 'in memory' : 'in a file'}`,
  );
  await passThrough(context, options, { edge, width, scratch, starts });
  return {
    program: (whole) => suffixOf(whole, edge),
    async feed({ key, feeds, sequences: rows }) {
      const [batch, length] = feeds.get('ids')!.shape as [number, number];
      const data = new Float32Array(batch * length * width);
      for (const [row, ids] of rows.entries()) {
        const size = prefixBytes(ids.length, width);
        await scratch.read(new Uint8Array(data.buffer, row * length * width * 4, size), starts.get(ids)!);
      }
      const prefix = { dtype: 'f32', shape: [batch * length, width], data } as const;
      return { key, feeds: new Map([...feeds, [PREFIX, prefix]]) };
    },
  };
}

interface Place {
  readonly edge: number;
  readonly width: number;
  readonly scratch: Scratch;
  /** Byte at which a row's values begin. */
  readonly starts: ReadonlyMap<Int32Array, number>;
}

async function passThrough(
  context: StageContext,
  { model, sequences, size }: FrozenPrefixOptions,
  { edge, width, scratch, starts }: Place,
): Promise<void> {
  const { method, frozen, policy } = model;
  const { family, config } = policy;
  const sorted = [...sequences].sort((a, b) => a.length - b.length);
  const lengths = paddedLengths(
    sorted.map((ids) => ids.length),
    family.shape(config).context,
  );
  let first = 0;
  for (const length of lengths) {
    const end = sorted.findLastIndex((ids) => ids.length <= length) + 1;
    if (end <= first) continue;
    const hidden = hiddenRows({ family, config, batch: size, length });
    const program = prefixOf({ name: 'frozen', outputs: new Map([['hidden', hidden]]) }, edge);
    const executor = await context.load(program, frozen, {
      adapt: method,
      quantized: method.quantized,
      eightBit: eightBitOf(context.job.options, method),
    });
    for (; first < end; first += size) {
      context.checkStop();
      const rows = sorted.slice(first, Math.min(end, first + size));
      const ids = new Int32Array(size * length);
      for (const [row, one] of rows.entries()) ids.set(one, row * length);
      const feeds = new Map([['ids', { dtype: 'i32', shape: [size, length], data: ids } as const]]);
      const { data } = (await executor.run(feeds)).get(PREFIX)!;
      for (const [row, one] of rows.entries()) {
        const from = data.byteOffset + row * length * width * 4;
        const made = new Uint8Array(data.buffer, from, prefixBytes(one.length, width));
        await scratch.write(made, starts.get(one)!);
      }
    }
    first = end;
    await executor.dispose();
  }
}

/** Batches, each fed as its turn comes. */
export async function* fed(prefix: FrozenPrefix, batches: readonly SequenceBatch[]): AsyncGenerator<Batch> {
  for (const batch of batches) yield prefix.feed(batch);
}
