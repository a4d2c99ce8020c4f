/**
 * The parser library, from its one-file build: the package's own entry pulls in some 600 small files, which costs
 * a quarter of a second at each start; the same code in one file costs a hundredth.
 */
type Chevrotain = typeof import('chevrotain');

async function load(): Promise<Chevrotain> {
  try {
    const entry = import.meta.resolve('chevrotain');
    return (await import(new URL('../chevrotain.min.mjs', entry).href)) as Chevrotain;
  } catch {
    // A bundler or a test runner that resolves in its own way.
    return await import('chevrotain');
  }
}

export const chevrotain: Chevrotain = await load();
