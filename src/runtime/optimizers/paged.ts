/**
 * Any chain with its state in a file: a block of it is brought in before its elements are updated and written back
 * after, while the next one is already being read. The numbers are those of the chain itself, bit for bit.
 * @see https://arxiv.org/abs/2305.14314 section 3, "Paged Optimizers"
 */
import { type Chain, elementsOf } from './chain.ts';
import { type Optimizer, type OptimizerState, type PagedArray, requireSameSize } from './optimizer.ts';
import { blocksOf, bytesOf, longestOf, type PageBlock, type Segment } from './page-blocks.ts';

/** A file of a fixed size, zero at first. Positions and sizes are in bytes. */
export interface PageFile {
  /** Fills all of `bytes`. */
  read(bytes: Uint8Array, position: number): Promise<void>;
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** The file is gone after it. */
  close(): Promise<void>;
}

/** Opened at the first use, so that an optimizer that is never used leaves nothing. */
export type OpenPages = (bytes: number) => Promise<PageFile>;

/** One is worked on, one is read, one is written. */
const BUFFERS = 3;
const BLOCK_BYTES = 4 << 20;

interface PagedState extends OptimizerState {
  readonly blocks: readonly PageBlock[];
  file(): Promise<PageFile>;
}

export function paged(chain: Chain, open: OpenPages, blockBytes = BLOCK_BYTES): Optimizer {
  const sizesOf = (parameters: ReadonlyMap<string, { readonly length: number }>) =>
    new Map([...parameters].map(([name, { length }]) => [name, length]));
  let buffers: readonly Uint8Array[] | undefined;

  return {
    initialize(parameters): PagedState {
      const blocks = blocksOf(chain, sizesOf(parameters), blockBytes);
      let opened: Promise<PageFile> | undefined;
      const file = () => (opened ??= open(bytesOf(blocks)));
      const close = async () => {
        // A file that could not be opened has been told of, and leaves nothing to close.
        await opened?.then(
          (pages) => pages.close(),
          () => {},
        );
        opened = undefined;
      };
      return { step: 0, moments: momentsOf(blocks, file), blocks, file, close };
    },

    async update(parameters, gradients, given, learningRate) {
      const state = given as PagedState;
      const step = { step: ++state.step, learningRate };
      const file = await state.file();
      const blocks = state.blocks.filter(({ segments }) => segments.some(({ name }) => gradients.has(name)));
      const longest = longestOf(state.blocks);
      buffers ??= Array.from({ length: BUFFERS }, () => new Uint8Array(longest));
      const written: Promise<void>[] = [];
      const bytes = (i: number) => buffers![i % BUFFERS]!.subarray(0, blocks[i]!.bytes);
      const bringIn = async (i: number) => {
        if (i >= blocks.length) return;
        await written[i - BUFFERS];
        await file.read(bytes(i), blocks[i]!.position);
      };
      let next = bringIn(0);
      try {
        for (const [i, block] of blocks.entries()) {
          await next;
          next = bringIn(i + 1);
          for (const segment of block.segments) {
            const gradient = gradients.get(segment.name);
            if (gradient === undefined) continue;
            const parameter = parameters.get(segment.name)!;
            requireSameSize(segment.name, parameter, gradient);
            const parts = segment.parts.map((part) => part.view(bytes(i)));
            chain.updateRange({ ...segment, parameter, gradient, state: parts }, step);
          }
          written[i] = file.write(bytes(i), block.position);
          // A write that fails is told where it is waited for.
          written[i].catch(() => {});
        }
      } finally {
        await Promise.allSettled([next, ...written]);
      }
      await Promise.all(written);
    },

    stateBytes(shapes) {
      const sizes = new Map([...shapes].map(([name, shape]) => [name, elementsOf(shape)]));
      const blocks = blocksOf(chain, sizes, blockBytes);
      return { memory: BUFFERS * longestOf(blocks), file: bytesOf(blocks) };
    },
  };
}

/** The state as whole arrays, each spread over the blocks of its tensor. */
function momentsOf(blocks: readonly PageBlock[], file: () => Promise<PageFile>): Map<string, PagedArray> {
  const places = new Map<string, { position: number; part: Segment['parts'][number] }[]>();
  for (const { position, segments } of blocks)
    for (const part of segments.flatMap((segment) => segment.parts)) {
      const known = places.get(part.key) ?? [];
      places.set(part.key, [...known, { position: position + part.offset, part }]);
    }
  return new Map([...places].map(([key, pieces]) => [key, pagedArray(pieces, file)]));
}

function pagedArray(
  pieces: readonly { readonly position: number; readonly part: Segment['parts'][number] }[],
  file: () => Promise<PageFile>,
): PagedArray {
  const { dtype } = pieces[0]!.part;
  return {
    dtype,
    length: pieces.reduce((total, { part }) => total + part.length, 0),
    async *chunks() {
      for (const { position, part } of pieces) {
        const bytes = new Uint8Array(part.bytes);
        await (await file()).read(bytes, position);
        yield bytes;
      }
    },
    async set(values) {
      let done = 0;
      for (const { position, part } of pieces) {
        const numbers = dtype === 'f32' ? new Float32Array(part.length) : new Uint8Array(part.length);
        for (let i = 0; i < part.length; i++) numbers[i] = values[done++]!;
        await (await file()).write(new Uint8Array(numbers.buffer), position);
      }
    },
  };
}
