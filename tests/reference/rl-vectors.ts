/** vectors/rl_optim.json, read. */
import { readFileSync } from 'node:fs';

// biome-ignore lint/suspicious/noExplicitAny: 26 groups of numbers, each with a shape of its own
export const vectors: any = JSON.parse(
  readFileSync(new URL('./vectors/rl_optim.json', import.meta.url), 'utf8'),
);
