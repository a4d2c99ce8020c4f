/** What a rewrite is: a named pass over programs that keeps every output's value. */
import type { Program } from '../programs/program.ts';

export interface Rewrite {
  /** A verb: `foldConstants`. */
  readonly name: string;
  /** What holds of the program afterwards. */
  readonly ensures: string;
  run(program: Program): Program;
  /** Sentences about where `ensures` is broken, none where all is well; beyond what every program must keep. */
  verify?(program: Program): readonly string[];
}
