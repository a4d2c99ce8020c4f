/**
 * The blocks below the lowest one that is trained, computed once for every row instead of once for every visit: stages
 * that see their rows more than once train the upper part of the program alone. B rows, T tokens, D width.
 */
import { readableBytes } from '../../../compiler/diagnostics/words/words.ts';
import type { AppliedMethod } from '../../methods/method.ts';
import type { Program } from '../../programs/program.ts';
import { frozenEdge, PREFIX, prefixOf, suffixOf } from '../../rewrites/cut-prefix.ts';
import type { Batch, Scratch, StageContext, TrainedModel, Trainer } from '../stage.ts';
import { eightBitOf } from './eight-bit.ts';
import { hiddenRows } from './language-model-program.ts';
import { type MarkedSequence, paddedLengths, type SupervisedBatch } from './padded-batches.ts';

export interface FrozenPrefix {
  /** What is left of a program once the prefix is fed. */
  program(whole: Program): Program;
  /** A batch as that program reads it. */
  feed(batch: SupervisedBatch): Promise<Batch>;
}

export interface FrozenPrefixOptions {
  readonly model: TrainedModel;
  /** Any program of the model in training. */
  readonly program: Program;
  /** Rows that will be seen, those of evaluations included. */
  readonly examples: readonly MarkedSequence[];
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
  const { model, examples, program, repeated } = options;
  const trained = model.trainable.keys();
  const edge = frozenBlocks({ method: model.method, trained, program, repeated });
  if (edge === 0) return nothingFrozen;
  const { width } = model.policy.family.shape(model.policy.config);
  const starts = new Map<MarkedSequence, number>();
  let bytes = 0;
  for (const example of examples) {
    starts.set(example, bytes);
    bytes += rowBytes(example, width);
  }
  const scratch = await context.scratch(bytes);
  context.message(
    'info',
    `rows pass the ${edge === 1 ? 'frozen block' : `${edge} frozen blocks`} once: ${examples.length} rows, ${readableBytes(bytes)} kept ${scratch.inMemory ? 'in memory' : 'in a file'}`,
  );
  await passThrough(context, options, { edge, width, scratch, starts });
  return {
    program: (whole) => suffixOf(whole, edge),
    async feed({ key, feeds, examples: rows }) {
      const [batch, length] = feeds.get('ids')!.shape as [number, number];
      const data = new Float32Array(batch * length * width);
      for (const [row, example] of rows.entries()) {
        const into = new Uint8Array(data.buffer, row * length * width * 4, rowBytes(example, width));
        await scratch.read(into, starts.get(example)!);
      }
      const prefix = { dtype: 'f32', shape: [batch * length, width], data } as const;
      return { key, feeds: new Map([...feeds, [PREFIX, prefix]]) };
    },
  };
}

const rowBytes = (example: MarkedSequence, width: number) => prefixBytes(example.ids.length, width);

interface Place {
  readonly edge: number;
  readonly width: number;
  readonly scratch: Scratch;
  /** Byte at which a row's values begin. */
  readonly starts: ReadonlyMap<MarkedSequence, number>;
}

async function passThrough(
  context: StageContext,
  { model, examples, size }: FrozenPrefixOptions,
  { edge, width, scratch, starts }: Place,
): Promise<void> {
  const { method, frozen, policy } = model;
  const { family, config } = policy;
  const sorted = [...examples].sort((a, b) => a.ids.length - b.ids.length);
  const lengths = paddedLengths(
    sorted.map((example) => example.ids.length),
    family.shape(config).context,
  );
  let first = 0;
  for (const length of lengths) {
    const end = sorted.findLastIndex((example) => example.ids.length <= length) + 1;
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
      for (const [row, example] of rows.entries()) ids.set(example.ids, row * length);
      const feeds = new Map([['ids', { dtype: 'i32', shape: [size, length], data: ids } as const]]);
      const { data } = (await executor.run(feeds)).get(PREFIX)!;
      for (const [row, example] of rows.entries()) {
        const from = data.byteOffset + row * length * width * 4;
        await scratch.write(
          new Uint8Array(data.buffer, from, rowBytes(example, width)),
          starts.get(example)!,
        );
      }
    }
    first = end;
    await executor.dispose();
  }
}

/** Sums of the scalar outputs over batches, each fed as its turn comes. */
export async function evaluateFed(
  trainer: Trainer,
  prefix: FrozenPrefix,
  batches: readonly SupervisedBatch[],
): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for (const batch of batches)
    for (const [name, value] of await trainer.evaluate([await prefix.feed(batch)]))
      sums.set(name, (sums.get(name) ?? 0) + value);
  return sums;
}
