/** Attention in bands: runs of queries, each with the keys that its mask leaves it. */
import { constant } from '../programs/builder.ts';
import { type Node, sizeOf } from '../programs/program.ts';
import { MASKED } from './mask.ts';

/** Queries [from, to) and the keys [first, last) of which they see some; the part of the bias that is for these. */
export interface Band {
  readonly queries: readonly [from: number, to: number];
  readonly keys: readonly [first: number, last: number];
  readonly bias: Node;
}

/** Fewer queries than this make products too small to be quick. */
const LEAST_QUERIES = 64;
/** More bands save little: of a causal mask eight leave 9/16, and no number less than a half. */
const MOST_BANDS = 8;

/**
 * Bands of queries in order, each with no more keys than it needs; one band where the bias is not known before the run
 * or has a row for each sequence. bias: (…, T, T).
 */
export function bandsOf(bias: Node): readonly Band[] {
  const known = knownBands.get(bias);
  if (known !== undefined) return known;
  const found = findBands(bias);
  knownBands.set(bias, found);
  return found;
}

/** All blocks of a model read one bias. */
const knownBands = new WeakMap<Node, readonly Band[]>();

function findBands(bias: Node): readonly Band[] {
  const [tokens, all] = bias.shape.slice(-2) as [number, number];
  const count = Math.min(MOST_BANDS, Math.floor(tokens / LEAST_QUERIES));
  const values = count > 1 && sizeOf(bias.shape) === tokens * all ? valuesOf(bias) : undefined;
  if (values === undefined) return [{ queries: [0, tokens], keys: [0, all], bias }];
  // Vectors of sixteen numbers leave no remainder.
  const height = 16 * Math.ceil(tokens / count / 16);
  return Array.from({ length: Math.ceil(tokens / height) }, (_, band) => {
    const [from, to] = [band * height, Math.min(tokens, (band + 1) * height)];
    const seen = (key: number) => {
      for (let query = from; query < to; query++) if (values[query * all + key]! > MASKED / 2) return true;
      return false;
    };
    let [first, last] = [0, all];
    while (first < last - 1 && !seen(first)) first++;
    while (last > first + 1 && !seen(last - 1)) last--;
    const data = new Float32Array((to - from) * (last - first));
    for (let query = from; query < to; query++)
      data.set(values.subarray(query * all + first, query * all + last), (query - from) * (last - first));
    const shape = [...bias.shape.slice(0, -2), to - from, last - first];
    return { queries: [from, to], keys: [first, last], bias: constant({ dtype: 'f32', shape, data }) };
  });
}

/** What a bias is, where nothing in it is fed. */
function valuesOf(bias: Node): Float32Array | undefined {
  if (bias.op === 'constant') return bias.attributes.value.data as Float32Array;
  if (bias.op !== 'add') return undefined;
  const [a, b] = bias.inputs.map(valuesOf);
  return a?.length === b?.length ? a?.map((value, i) => value + b![i]!) : undefined;
}
