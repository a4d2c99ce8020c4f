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
import { byLength, paddedLengths, type SequenceBatch } from './padded-batches.ts';
import { joined } from './sequences.ts';
import type { Sequences } from './stored-sequences.ts';

export interface FrozenPrefix {
  /** What is left of a program once the prefix is fed. */
  program(whole: Program): Program;
  /** A batch as that program reads it. */
  feed(batch: Batch & Partial<SequenceBatch>): Promise<Batch>;
}

export interface FrozenPrefixOptions {
  readonly model: TrainedModel;
  /** Any program of the model in training. */
  readonly program: Program;
  /** Those that will be seen, in evaluations too: the same that batches name. */
  readonly sequences: readonly Sequences[];
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
export function paddingMatters({ fixedUpTo, context }: ModelShape, lengths: ArrayLike<number>): boolean {
  if (fixedUpTo === undefined || lengths.length === 0) return false;
  return paddedLengths(lengths, context).at(-1)! > fixedUpTo;
}

/** Bytes that are kept of so many tokens. */
export const prefixBytes = (tokens: number, width: number): number => 4 * width * tokens;

/** More is not kept: reading it back would take longer than computing it again, if the disk had room for it. */
const MOST_PREFIX_BYTES = 2 ** 35;

export const keepsPrefix = (tokens: number, width: number): boolean =>
  prefixBytes(tokens, width) <= MOST_PREFIX_BYTES;

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
  const rows = new AllSequences(sequences);
  if (paddingMatters(shape, rows.lengths)) return nothingFrozen;
  const edge = frozenBlocks({ method: model.method, trained, program, repeated });
  if (edge === 0) return nothingFrozen;
  const { width } = shape;
  if (!keepsPrefix(rows.tokens, width)) return nothingFrozen;
  const bytes = prefixBytes(rows.tokens, width);
  const scratch = await context.scratch(bytes);
  context.message(
    'info',
    `rows pass the ${edge === 1 ? 'frozen block' : `${edge} frozen blocks`} once: ${rows.lengths.length} rows, ${readableBytes(bytes)} kept ${scratch.inMemory ? 'in memory' : 'in a file'}`,
  );
  await passThrough(context, options, { edge, width, scratch, rows });
  return {
    program: (whole) => suffixOf(whole, edge),
    async feed({ key, feeds, sequences: fed = [] }) {
      const [batch, length] = feeds.get('ids')!.shape as [number, number];
      const data = new Float32Array(batch * length * width);
      for (const [row, { among, number }] of fed.entries()) {
        const at = rows.numberOf(among, number);
        const size = prefixBytes(rows.lengths[at]!, width);
        const start = prefixBytes(rows.starts[at]!, width);
        await scratch.read(new Uint8Array(data.buffer, row * length * width * 4, size), start);
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
  readonly rows: AllSequences;
}

/** Several lists of sequences as one. */
class AllSequences {
  readonly lengths: Int32Array;
  /** Tokens before each. */
  readonly starts: Float64Array;
  readonly tokens: number;

  constructor(private readonly lists: readonly Sequences[]) {
    this.lengths = joined(...lists.map(({ lengths }) => lengths));
    this.starts = new Float64Array(this.lengths.length);
    let tokens = 0;
    for (const [i, length] of this.lengths.entries()) {
      this.starts[i] = tokens;
      tokens += length;
    }
    this.tokens = tokens;
  }

  numberOf(list: Sequences, number: number): number {
    let before = 0;
    for (const one of this.lists) {
      if (one === list) return before + number;
      before += one.lengths.length;
    }
    throw new Error('a batch is made of sequences that were not passed');
  }

  read(number: number): Int32Array {
    let left = number;
    for (const list of this.lists) {
      if (left < list.lengths.length) return list.read(left).ids;
      left -= list.lengths.length;
    }
    throw new RangeError(`there is no sequence ${number}`);
  }
}

async function passThrough(
  context: StageContext,
  { model, size }: FrozenPrefixOptions,
  { edge, width, scratch, rows }: Place,
): Promise<void> {
  const { method, frozen, policy } = model;
  const { family, config } = policy;
  const sorted = byLength(rows.lengths);
  const lengths = paddedLengths(rows.lengths, family.shape(config).context);
  let first = 0;
  for (const length of lengths) {
    const end = sorted.findLastIndex((i) => rows.lengths[i]! <= length) + 1;
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
      const batch = sorted.subarray(first, Math.min(end, first + size));
      const ids = new Int32Array(size * length);
      for (const [row, number] of batch.entries()) ids.set(rows.read(number), row * length);
      const feeds = new Map([['ids', { dtype: 'i32', shape: [size, length], data: ids } as const]]);
      const { data } = (await executor.run(feeds)).get(PREFIX)!;
      for (const [row, number] of batch.entries()) {
        const from = data.byteOffset + row * length * width * 4;
        const made = new Uint8Array(data.buffer, from, prefixBytes(rows.lengths[number]!, width));
        await scratch.write(made, prefixBytes(rows.starts[number]!, width));
      }
    }
    first = end;
    await executor.dispose();
  }
}

/** Batches, each fed as its turn comes. */
export async function* fed(
  prefix: FrozenPrefix,
  batches: Iterable<Batch & Partial<SequenceBatch>>,
): AsyncGenerator<Batch> {
  for (const batch of batches) yield prefix.feed(batch);
}
