/** A model, adapter or tensor file that cannot be read, in a sentence for people. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  readonly file: string;
  /** The tensor at fault, where one is. */
  readonly tensor: string | undefined;

  constructor(file: string, message: string, tensor?: string) {
    super(`${file}: ${message}`);
    this.file = file;
    this.tensor = tensor;
  }
}
