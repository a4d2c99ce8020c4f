/** What passes over large data found, kept between plans: reading two gigabytes takes a minute, and nothing in them changed. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../data/row-hash.ts';
import { type CensusData, ShapeCensus } from '../data/shapes/recognise-shape.ts';
import { RowLengths } from '../stages/estimates/row-lengths.ts';
import { writeFileAtomically } from '../store/atomic-file.ts';

export interface Pass {
  readonly lengths: RowLengths;
  readonly census: ShapeCensus;
}

export interface KeptPasses {
  find(option: string, as: readonly unknown[]): Promise<Pass | undefined>;
  /** Does nothing where it cannot be kept: it is made again then. */
  keep(option: string, as: readonly unknown[], pass: Pass): Promise<void>;
}

/** Raised when a pass finds something else in the same rows. */
const FORMAT = 1;

interface Header {
  readonly rows: number;
  readonly kind: RowLengths['kind'];
  readonly census: CensusData;
}

/**
 * In `passes/` of a store, named after the digest of the data and how it was read; nothing is written where there is no
 * store yet.
 * @param digests of the data, by option
 * @param isChanged whether they are other data by now: a pass over those is not kept
 */
export function keptPasses(
  store: string,
  digests: Readonly<Record<string, string>>,
  isChanged: (option: string) => Promise<boolean>,
): KeptPasses {
  const pathOf = (option: string, as: readonly unknown[]) => {
    const named = canonicalJson([FORMAT, digests[option], as]);
    return join(store, 'passes', createHash('sha256').update(named).digest('hex'));
  };
  return {
    async find(option, as) {
      const bytes = await readFile(pathOf(option, as)).catch(() => undefined);
      return bytes && passOf(bytes);
    },
    async keep(option, as, pass) {
      if (!existsSync(store) || (await isChanged(option))) return;
      await writeFileAtomically(pathOf(option, as), bytesOf(pass)).catch(() => {});
    },
  };
}

function bytesOf({ lengths, census }: Pass): Buffer {
  const header: Header = { rows: lengths.count, kind: lengths.kind, census: census.data() };
  const numbers = [lengths.tokens, lengths.learned].map((part) => Buffer.from(Int32Array.from(part).buffer));
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...numbers]);
}

/** Undefined for bytes that are none. */
function passOf(bytes: Buffer): Pass | undefined {
  try {
    const end = bytes.indexOf(0x0a) + 1;
    const { rows, kind, census } = JSON.parse(bytes.subarray(0, end).toString()) as Header;
    if (bytes.length !== end + 8 * rows) return undefined;
    const numbers = new Int32Array(Uint8Array.from(bytes.subarray(end)).buffer);
    const lengths = new RowLengths();
    for (let i = 0; i < rows; i++) lengths.push(numbers[i]!, numbers[rows + i]!, kind!);
    return { lengths, census: ShapeCensus.from(census) };
  } catch {
    return undefined;
  }
}
