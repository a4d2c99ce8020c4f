/** A pass: one step of the way from text to graph. It has a name, so it can be timed, dumped, stopped after and tested alone. */
export interface Pass<Input, Output> {
  /** A verb: `lex`, `parse`, `check`. */
  readonly name: string;
  /** What is true of its output, in one sentence. */
  readonly ensures: string;
  run(input: Input): Output;
  /** Stable text of the output: what `--emit` shows and what golden files hold. */
  print(output: Output): string;
  /** The contract of the representation: sentences about what is broken, none where all is well. */
  verify?(output: Output): readonly string[];
}

/** Told of every pass that ran, for timing and dumps. */
export type Observe = (name: string, print: () => string) => void;

/** Runs a pass and holds its output to its contract. Errors: Error naming the pass, which is a bug in ftc. */
export function runPass<Input, Output>(pass: Pass<Input, Output>, input: Input, observe?: Observe): Output {
  const output = pass.run(input);
  const broken = pass.verify?.(output) ?? [];
  if (broken.length > 0) throw new Error(`the pass \`${pass.name}\` broke its promise: ${broken.join('; ')}`);
  observe?.(pass.name, () => pass.print(output));
  return output;
}
