/**
 * Sizes that are only known when a model runs. Programs have static shapes; a program for any batch and length is built at
 * sizes that nothing else in it has, primes, and wherever a multiple of one shows up it is written as a product of what
 * the inputs measure.
 */

export interface SymbolicSizes {
  readonly batch: number;
  /** New tokens. */
  readonly tokens: number;
  /** Tokens in the cache. */
  readonly past: number;
}

/** `total`: past and new tokens. */
export type SizeName = keyof SymbolicSizes | 'total';

/**
 * Primes that divide none of `avoid`; half of past + tokens is one too. past + tokens is above `above`.
 */
export function symbolicSizes(avoid: readonly number[], above: number): SymbolicSizes {
  const fits = (n: number) => isPrime(n) && avoid.every((size) => size % n !== 0);
  const next = (from: number, also: (n: number) => boolean = () => true): number => {
    let n = from;
    while (!fits(n) || !also(n)) n++;
    return n;
  };
  const batch = next(1009);
  const tokens = next(Math.max(10_007, above));
  const past = next(tokens + 2, (n) => fits((n + tokens) / 2));
  return { batch, tokens, past };
}

function isPrime(n: number): boolean {
  if (!Number.isInteger(n) || n < 2) return false;
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false;
  return true;
}

/** What of a size is known, and the factors that are not: 3 · tokens · total. */
export function factorsOf(size: number, sizes: SymbolicSizes): { known: number; unknown: SizeName[] } {
  const unknown: SizeName[] = [];
  let known = size;
  const divisors: [SizeName, number][] = [
    ['batch', sizes.batch],
    ['tokens', sizes.tokens],
    ['past', sizes.past],
    ['total', sizes.past + sizes.tokens],
  ];
  for (const [name, divisor] of divisors)
    while (known !== 0 && known % divisor === 0) {
      known /= divisor;
      unknown.push(name);
    }
  return { known, unknown };
}
