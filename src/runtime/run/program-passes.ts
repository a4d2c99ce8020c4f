/**
 * THE FLOW of a tensor program: one ordered list of named passes from what a stage builds, the bare model and its loss, to
 * what an executable gets. Training runs through it; the plan and `ftc compile` look at it.
 */
import { differentiate } from '../gradients/differentiate.ts';
import { type Program, parametersOf } from '../programs/program.ts';
import { VerifyError, verifyProgram } from '../programs/verify.ts';
import { eightBitNames, type FrozenProduct } from '../quantization/eight-bit-weights.ts';
import { eightBitErrors } from '../rewrites/eight-bit-errors.ts';
import { eightBitProducts } from '../rewrites/eight-bit-products.ts';
import { normalizeOnce } from '../rewrites/normalize-once.ts';
import { rewrites } from '../rewrites/optimize.ts';
import { quantize } from '../rewrites/quantize.ts';
import { recompute } from '../rewrites/recompute.ts';
import type { Rewrite } from '../rewrites/rewrite.ts';
import type { Treatment } from '../stages/stage.ts';

/** A pass that may have nothing to do: what nobody asks for leaves the program as it is. */
const pass = (name: string, ensures: string, run?: Rewrite['run'], verify?: Rewrite['verify']): Rewrite => ({
  name,
  ensures,
  run: run ?? ((program) => program),
  ...(run && verify && { verify }),
});

const namesIn = (program: Program) => new Set(parametersOf(program).map((node) => node.attributes.name));

/** The list, in order; it has the same names for every program. */
export function programPasses(
  build: () => Program = () => nothing,
  treatment: Treatment = {},
): readonly Rewrite[] {
  const { adapt, dropout = false, quantized, trainable } = treatment;
  const trained = (program: Program) => {
    const read = namesIn(program);
    return (trainable ?? []).filter((name) => read.has(name));
  };
  const repeats = treatment.recompute === 'blocks' && trainable !== undefined;
  return [
    pass('build', 'the model as it is, and what the stage makes of it', build),
    pass(
      'adapt',
      'the tensors that the method adds stand beside the weights they adapt',
      adapt && ((program) => adapt.rewrite(program, { dropout })),
    ),
    pass(
      'quantize',
      'the weights that the method quantizes are read as codes',
      quantized && ((program) => quantize(program, quantized)),
      (program) =>
        [...namesIn(program)].flatMap((name) => (quantized?.has(name) ? [`"${name}" is read`] : [])),
    ),
    pass(
      'differentiate',
      'every trained tensor that is read has a gradient',
      trainable && ((program) => differentiate(program, { loss: 'loss', withRespectTo: trained(program) })),
      (program) =>
        trained(program).flatMap((name) =>
          program.outputs.has(`grad:${name}`) ? [] : [`"${name}" has none`],
        ),
    ),
    normalizeOnce,
    pass(
      recompute.name,
      `with recompute=blocks, ${recompute.ensures}`,
      repeats ? recompute.run : undefined,
      recompute.verify,
    ),
    eightBitPass(treatment.eightBit),
    ...numbered(rewrites),
  ];
}

function eightBitPass(treatment: Treatment['eightBit']): Rewrite {
  const { trained, kept, measured } = treatment ?? { trained: new Set() };
  const frozen = (weight: string) => !trained.has(weight);
  const among = (products: ReadonlySet<string> | undefined) => (product: FrozenProduct) =>
    products?.has(eightBitNames(product).codes) ?? false;
  const { name, ensures, run, verify } = eightBitProducts(frozen, among(kept));
  const promise = `with precision=int8, ${ensures}`;
  if (treatment === undefined) return pass(name, promise);
  if (measured === undefined) return pass(name, promise, run, verify);
  return pass(name, promise, (program) => eightBitErrors(program, frozen, among(measured)));
}

/** Some rewrites run twice: `share`, then `share:2`. */
function numbered(list: readonly Rewrite[]): Rewrite[] {
  const times = new Map<string, number>();
  return list.map((rewrite) => {
    const count = (times.get(rewrite.name) ?? 0) + 1;
    times.set(rewrite.name, count);
    return count === 1 ? rewrite : { ...rewrite, name: `${rewrite.name}:${count}` };
  });
}

/** A pass that has run. */
export interface PassRun {
  readonly pass: Rewrite;
  /** Absent for the first. */
  readonly before?: Program;
  readonly after: Program;
  readonly seconds: number;
}

export interface RunOptions {
  /** Told of every pass. */
  readonly observe?: (run: PassRun) => void;
  /** Checks the program between passes. Default: where FTC_VERIFY is set, as it is in tests. */
  readonly verify?: boolean;
}

/** Errors: VerifyError naming the pass that broke its promise, which is a bug in ftc. */
export function runPasses(
  passes: readonly Rewrite[],
  { observe, verify = process.env.FTC_VERIFY === '1' }: RunOptions = {},
): Program {
  let program: Program | undefined;
  for (const one of passes) {
    const started = performance.now();
    const after = one.run(program ?? nothing);
    const seconds = (performance.now() - started) / 1000;
    if (verify) check(one, after);
    observe?.({ pass: one, ...(program && { before: program }), after, seconds });
    program = after;
  }
  return program ?? nothing;
}

const nothing: Program = { name: 'nothing', outputs: new Map() };

function check({ name, verify }: Rewrite, program: Program): void {
  try {
    verifyProgram(program);
  } catch (error) {
    if (error instanceof VerifyError) throw new VerifyError(`after the pass \`${name}\`: ${error.message}`);
    throw error;
  }
  const broken = verify?.(program) ?? [];
  if (broken.length > 0)
    throw new VerifyError(`the pass \`${name}\` broke its promise: ${broken.join('; ')}`);
}

/** A stage's program as an executable gets it. */
export const finishProgram = (build: () => Program, treatment: Treatment = {}): Program =>
  runPasses(programPasses(build, treatment));
