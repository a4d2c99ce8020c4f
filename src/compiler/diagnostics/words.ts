/** The exhaustive table from problems to words; the type checker names any problem that has none. */
import type { ProblemName } from './codes.ts';
import { dataWords } from './words/data.ts';
import { graphWords } from './words/graph.ts';
import { hubWords } from './words/hub.ts';
import { keptWords } from './words/kept.ts';
import { nameWords } from './words/names.ts';
import { runtimeWords } from './words/runtime.ts';
import { syntaxWords } from './words/syntax.ts';
import { valueWords } from './words/values.ts';
import type { Words } from './words/words.ts';

export const words = {
  ...syntaxWords,
  ...nameWords,
  ...valueWords,
  ...graphWords,
  ...runtimeWords,
  ...hubWords,
  ...dataWords,
  ...keptWords,
} satisfies { readonly [K in ProblemName]: (data: never) => Words };

/** What is known of a problem, before it is put into words. */
export type ProblemData<K extends ProblemName> = Parameters<(typeof words)[K]>[0];
