/** How far the files of a model are, put together from how far each one is. */

export interface HubProgress {
  readonly files: number;
  readonly filesDone: number;
  /** Bytes that are there, those of earlier attempts included. */
  readonly bytes: number;
  /** Of the files known so far: shards are known when their index is there. undefined where a size is not known. */
  readonly totalBytes: number | undefined;
}

/** Between two reports. */
const LEAST_MILLISECONDS = 100;

export class Progress {
  readonly #report: ((progress: HubProgress) => void) | undefined;
  readonly #files = new Map<string, { bytes: number; total: number | undefined; done: boolean }>();
  #reported = 0;

  constructor(report: ((progress: HubProgress) => void) | undefined) {
    this.#report = report;
  }

  /** The file was there before. */
  has(file: string, bytes: number): void {
    this.#files.set(file, { bytes, total: bytes, done: true });
  }

  expect(file: string, total: number | undefined): void {
    this.#files.set(file, { bytes: 0, total, done: false });
  }

  at(file: string, bytes: number): void {
    this.#files.get(file)!.bytes = bytes;
    if (Date.now() - this.#reported >= LEAST_MILLISECONDS) this.#tell();
  }

  done(file: string, bytes: number): void {
    this.#files.set(file, { bytes, total: bytes, done: true });
    this.#tell();
  }

  #tell(): void {
    this.#reported = Date.now();
    const all = [...this.#files.values()];
    this.#report?.({
      files: all.length,
      filesDone: all.filter(({ done }) => done).length,
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      totalBytes: all.every(({ total }) => total !== undefined)
        ? all.reduce((sum, { total }) => sum + total!, 0)
        : undefined,
    });
  }
}
