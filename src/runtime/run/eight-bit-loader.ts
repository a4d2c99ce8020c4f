/**
 * Programs with eight-bit products, loaded when their first batch is there: what each product would lose on it is measured
 * once, and what would lose too much stays in f32, in every program of the job and after it is resumed.
 */
import type { Executor } from '../executables/executable.ts';
import { collectAll } from '../executables/release.ts';
import type { Tensor } from '../programs/ops.ts';
import { type Program, parametersOf } from '../programs/program.ts';
import { scaleOfEightBits } from '../quantization/eight-bit-weights.ts';
import { relativeError } from '../rewrites/eight-bit-errors.ts';
import { type EightBitBase, eightBitParameters } from '../rewrites/eight-bit-parameters.ts';
import type { CheckpointTensor, EightBitTreatment } from '../stages/stage.ts';

/** Of a product, ‖y − y₈‖ / ‖y‖: about 1 % on normal numbers. */
const LARGEST_ERROR = 0.05;
/** Products that a message names. */
const NAMED = 8;
/** In a checkpoint: JSON of the errors by product. */
const ERRORS = 'eight-bit-errors';

export interface EightBitSettings {
  load(
    program: Program,
    options: { readonly frozen: ReadonlyMap<string, Tensor>; readonly memory?: 'small' },
  ): Promise<Executor>;
  message(level: 'info', text: string): void;
}

/** `finish` sends the program through the passes. */
export type Finish = (eightBit: EightBitTreatment) => Program;

export interface EightBitLoader {
  load(finish: Finish, treatment: EightBitTreatment, frozen: EightBitBase): Executor;
  checkpoint(): ReadonlyMap<string, CheckpointTensor>;
  restore(read: (name: string) => Promise<Tensor>): Promise<void>;
  /** What was decided in all, in words; undefined before the first batch. */
  decision(): string | undefined;
}

export function eightBitLoader(settings: EightBitSettings): EightBitLoader {
  /** By the name of a product's codes. */
  const errors = new Map<string, number>();
  /** Codes and scales, shared by every program. */
  const codes = new Map<string, Tensor>();
  const kept = () => new Set([...errors].flatMap(([name, error]) => (error <= LARGEST_ERROR ? [] : [name])));

  async function measure(program: Program, frozen: EightBitBase, feeds: ReadonlyMap<string, Tensor>) {
    // Every weight in f32, for this run only.
    const given = {
      keys: () => frozen.keys(),
      get: (name: string) => frozen.read?.(name) ?? frozen.get(name),
    };
    const parameters = eightBitParameters(given, readBy(program), codes);
    const executor = await settings.load(program, { frozen: parameters, memory: 'small' });
    const found = new Map<string, number>();
    for (const [name, { data }] of await executor.run(feeds)) found.set(name, relativeError(data));
    await executor.dispose();
    for (const [name, error] of found) errors.set(name, error);
    settings.message('info', inWords(found));
  }

  async function prepare(
    finish: Finish,
    treatment: EightBitTreatment,
    frozen: EightBitBase,
    feeds: ReadonlyMap<string, Tensor>,
  ): Promise<Executor> {
    const undecided = productsIn(finish({ ...treatment, kept: kept() })).filter((name) => !errors.has(name));
    if (undecided.length > 0) {
      await measure(finish({ ...treatment, measured: new Set(undecided) }), frozen, feeds);
      // The weights in f32.
      collectAll();
    }
    const program = finish({ ...treatment, kept: kept() });
    for (const name of kept()) for (const part of [name, scaleOfEightBits(name)]) codes.delete(part);
    return settings.load(program, { frozen: eightBitParameters(frozen, readBy(program), codes) });
  }

  return {
    load(finish, treatment, frozen) {
      let loading: Promise<Executor> | undefined;
      return {
        async run(feeds) {
          loading ??= prepare(finish, treatment, frozen, feeds);
          return (await loading).run(feeds);
        },
        async dispose() {
          // A load that failed was reported by the run that wanted it.
          const executor = await loading?.catch(() => undefined);
          await executor?.dispose();
        },
      };
    },
    checkpoint() {
      const data = new TextEncoder().encode(JSON.stringify(Object.fromEntries(errors)));
      return new Map([[ERRORS, { dtype: 'u8', shape: [data.length], data }]]);
    },
    async restore(read) {
      for (const [name, error] of await readErrors(read)) errors.set(name, error);
    },
    decision: () => (errors.size === 0 ? undefined : inWords(errors)),
  };
}

/** What a checkpoint says was decided; undefined where nothing was yet. */
export async function decisionInCheckpoint(
  read: (name: string) => Promise<Tensor>,
): Promise<string | undefined> {
  const errors = await readErrors(read);
  return errors.size === 0 ? undefined : inWords(errors);
}

async function readErrors(read: (name: string) => Promise<Tensor>): Promise<Map<string, number>> {
  const text = new TextDecoder().decode(Uint8Array.from((await read(ERRORS)).data));
  return new Map(Object.entries(JSON.parse(text) as Record<string, number>));
}

function readBy(program: Program): (parameter: string) => boolean {
  const names = new Set(parametersOf(program).map((node) => node.attributes.name));
  return (name) => names.has(name);
}

/** Products in eight bits, by the name of their codes. */
const productsIn = (program: Program): string[] =>
  parametersOf(program).flatMap(({ dtype, attributes }) => (dtype === 'i8' ? [attributes.name] : []));

const percent = (error: number) =>
  error < 10 ? `${Number((100 * error).toPrecision(2))} %` : 'more than 1,000 %';

function inWords(found: ReadonlyMap<string, number>): string {
  const worst = [...found].toSorted(([, a], [, b]) => b - a);
  const lost = worst.filter(([, error]) => error > LARGEST_ERROR);
  if (lost.length === 0)
    return `int8: ${found.size} products with frozen weights, each within ${percent(worst[0]![1])} of f32`;
  const named = lost.slice(0, NAMED).map(([codes, error]) => `${productOf(codes)} (${percent(error)})`);
  const more = lost.length > NAMED ? `, and ${lost.length - NAMED} more` : '';
  return `int8: ${lost.length} of ${found.size} products with frozen weights stay in f32, where int8 is off by more than ${percent(LARGEST_ERROR)}: ${named.join(', ')}${more}`;
}

/** `transposed` is part of the name where it is. */
const productOf = (codes: string): string => codes.replace(/\.int8$/, '');
