/**
 * Expressions of one element → one loop over a run of elements, in WebAssembly: four at once, each operation rounded to
 * single precision, as PyTorch's are. Sums are taken in double precision, and so is all that goes into them.
 */
import type { Expression, Step } from './expression.ts';
import { type Code, doubles, instruction, loopFunction, singles } from './web-assembly.ts';

/** Elements that a kernel takes at once: few enough that its arrays stay near, enough that a run is worth its call. */
export const RUN = 4096;

export interface Kernel {
  /** By name, RUN elements each: filled before `run`, read after it. */
  readonly arrays: ReadonlyMap<string, Float32Array>;
  /** Computes the numbers of a step. */
  begin(step: Step): void;
  /**
   * Elements 0 … count − 1; what the arrays hold behind them has no meaning, but an odd count takes one more element into
   * the sums: it has to be 0.
   */
  run(count: number): void;
  /** Of the elements of the last run, by name. */
  sum(name: string): number;
}

const ALIGN = 64;
const BYTES = 4;
const VECTOR_BYTES = 16;
/** Locals: bytes to go through, where it is; then vectors. */
const LIMIT = 0;
const POSITION = 1;

/**
 * `results`: array name → what is written into it. Every array that is read is read before it is written. `sums`: name →
 * what is added up over the elements.
 */
export function compileKernel(
  results: ReadonlyMap<string, Expression>,
  sums: ReadonlyMap<string, Expression> = new Map(),
): Kernel {
  const lanes = sums.size > 0 ? doubles : singles;
  const numberBytes = VECTOR_BYTES / lanes.count;
  const uses = usesOf([...results.values(), ...sums.values()]);
  const names = [...uses.keys()].flatMap((e) => (e.kind === 'array' ? [e.name] : []));
  const arrays = [...new Set([...names, ...results.keys()])];
  const numbers = [...uses.keys()].flatMap((e) => (e.kind === 'number' ? [e] : []));
  const sumsAt = numberBytes * numbers.length;
  const base = Math.ceil((sumsAt + VECTOR_BYTES * sums.size) / ALIGN) * ALIGN;
  const offsetOf = (array: string) => base + arrays.indexOf(array) * RUN * BYTES;
  const locals = new Map<Expression, number>(numbers.map((e, i) => [e, POSITION + 1 + i]));

  /** Code that leaves the vector on the stack; what is used twice is computed once. */
  const codeOf = (e: Expression): Code => {
    const known = locals.get(e);
    if (known !== undefined) return instruction.get(known);
    const code = freshCode(e);
    if (uses.get(e)! < 2) return code;
    const local = POSITION + 1 + locals.size;
    locals.set(e, local);
    return [...code, ...instruction.tee(local)];
  };
  const freshCode = (e: Expression): Code => {
    switch (e.kind) {
      case 'array':
        return [...instruction.get(POSITION), ...lanes.loadFloats(offsetOf(e.name))];
      case 'number':
        throw new Error('numbers of the step are loaded before the loop');
      case 'squareRoot':
        return [...codeOf(e.of), ...lanes.squareRoot];
      case 'sign': {
        const side = (compare: Code) => [
          ...[...codeOf(e.of), ...lanes.constant(0), ...compare],
          ...[...lanes.constant(1), ...instruction.and],
        ];
        return [...side(lanes.isGreater), ...side(lanes.isLess), ...lanes.subtract];
      }
      default:
        return [...codeOf(e.left), ...codeOf(e.right), ...lanes[e.kind]];
    }
  };

  const values = [...results].map(([name, e]) => ({ name, code: codeOf(e), local: 0 }));
  const added = [...sums.values()].map((e, i) => ({
    code: codeOf(e),
    at: sumsAt + VECTOR_BYTES * i,
    local: 0,
  }));
  for (const [i, value] of [...values, ...added].entries()) value.local = POSITION + 1 + locals.size + i;
  const { get, set, tee, integer } = instruction;
  const code = [
    ...numbers.flatMap((e, i) => [
      ...integer(0),
      ...lanes.loadIntoAll(numberBytes * i),
      ...set(locals.get(e)!),
    ]),
    ...instruction.loop,
    ...values.flatMap(({ code, local }) => [...code, ...set(local)]),
    ...values.flatMap(({ name, local }) => [
      ...[...get(POSITION), ...get(local), ...lanes.storeFloats(offsetOf(name))],
    ]),
    ...added.flatMap(({ code, local }) => [...get(local), ...code, ...lanes.add, ...set(local)]),
    ...[...get(POSITION), ...integer(BYTES * lanes.count), ...instruction.addIntegers, ...tee(POSITION)],
    ...[...get(LIMIT), ...instruction.isBelow, ...instruction.repeatIf],
    ...instruction.end,
    ...added.flatMap(({ at, local }) => [...integer(0), ...get(local), ...instruction.storeVector(at)]),
  ];
  const { buffer, run } = loopFunction(code, {
    integers: 1,
    vectors: locals.size + values.length + added.length,
    memoryBytes: base + arrays.length * RUN * BYTES,
  });
  const given = new (lanes === doubles ? Float64Array : Float32Array)(buffer, 0, numbers.length);
  return {
    arrays: new Map(arrays.map((name) => [name, new Float32Array(buffer, offsetOf(name), RUN)])),
    begin(step) {
      for (const [i, { at }] of numbers.entries()) given[i] = at(step);
    },
    run: (count) => run(count * BYTES),
    sum(name) {
      const at = sumsAt + VECTOR_BYTES * [...sums.keys()].indexOf(name);
      const [even, odd] = new Float64Array(buffer, at, 2);
      return even! + odd!;
    },
  };
}

/** How often each expression is an operand; operands come before what they are operands of. */
function usesOf(roots: readonly Expression[]): Map<Expression, number> {
  const uses = new Map<Expression, number>();
  const visit = (e: Expression): void => {
    const seen = uses.get(e);
    if (seen === undefined) {
      if ('of' in e) visit(e.of);
      if ('left' in e) for (const operand of [e.left, e.right]) visit(operand);
      // The sign of a value compares it twice.
      if (e.kind === 'sign') visit(e.of);
    }
    uses.set(e, (uses.get(e) ?? 0) + 1);
  };
  for (const root of roots) visit(root);
  return uses;
}
