/** A tensor that cannot be quantized, or a quantized one that cannot be read, in a sentence for people. */
export class QuantizationError extends Error {
  override readonly name = 'QuantizationError';
  /** The tensor at fault, where one is known. */
  readonly tensor: string | undefined;
  /** What to do about it. */
  readonly help: readonly string[];

  constructor(message: string, tensor?: string, help: readonly string[] = []) {
    super(tensor === undefined ? message : `the tensor "${tensor}" ${message}`);
    this.tensor = tensor;
    this.help = help;
  }
}
