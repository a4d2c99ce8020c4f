/** How a stage ends early. */
import type { ProblemName } from '../../compiler/diagnostics/codes.ts';

/** A failure the user can mend; `option` is the option of the stage at fault. */
export class StageError extends Error {
  override readonly name = 'StageError';
  constructor(
    /** Key of the diagnostics table. */
    readonly kind: ProblemName,
    message: string,
    readonly place: {
      readonly option?: string;
      readonly file?: string;
      readonly line?: number;
      readonly notes?: readonly string[];
      readonly help?: readonly string[];
    } = {},
  ) {
    super(message);
  }
}

/** The user asked to stop; everything is saved. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}
