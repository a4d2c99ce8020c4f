/** What a rewrite is: a named pass over programs that keeps every output's value. */
import type { Program } from '../programs/program.ts';

export interface Rewrite {
  /** A verb: `foldConstants`. */
  readonly name: string;
  /** What holds of the program afterwards. */
  readonly ensures: string;
  run(program: Program): Program;
}
