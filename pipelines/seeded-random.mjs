/**
 * Random choices that are the same on every machine: the data scripts of this folder draw from it, so that
 * running one again writes the same bytes.
 * @typedef {object} Random
 * @property {() => number} uniform a number in [0, 1)
 * @property {(n: number) => number} below an integer in [0, n)
 * @property {<T>(list: readonly T[]) => T} pick one of the list
 * @property {<T>(list: readonly T[]) => T[]} shuffle a shuffled copy
 */

/**
 * mulberry32: 32 bits of state, enough for choosing words.
 * @param {number} seed
 * @returns {Random}
 */
export function seededRandom(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(uniform() * n);
  return {
    uniform,
    below,
    pick: (list) => list[below(list.length)],
    shuffle: (list) => {
      const copy = [...list];
      for (let i = copy.length - 1; i > 0; i -= 1) {
        const j = below(i + 1);
        [copy[i], copy[j]] = [copy[j], copy[i]];
      }
      return copy;
    },
  };
}
