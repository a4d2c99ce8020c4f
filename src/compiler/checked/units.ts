/** Units: what may stand behind a number, and what it comes to in base units (tokens, bytes, seconds, shares of one). */
import type { Unit } from '../catalog.ts';

interface UnitEntry {
  readonly measures: Unit | 'scale';
  /** Power of ten, kept apart so that 1.1M is exactly 1100000. */
  readonly power?: number;
  readonly times?: number;
}

const unit = (measures: UnitEntry['measures'], power = 0, times = 1): UnitEntry => ({
  measures,
  power,
  times,
});

const units: ReadonlyMap<string, UnitEntry> = new Map(
  Object.entries({
    k: unit('scale', 3),
    M: unit('scale', 6),
    B: unit('scale', 9),
    '%': unit('ratio', -2),
    kB: unit('bytes', 3),
    KB: unit('bytes', 3),
    MB: unit('bytes', 6),
    GB: unit('bytes', 9),
    TB: unit('bytes', 12),
    KiB: unit('bytes', 0, 2 ** 10),
    MiB: unit('bytes', 0, 2 ** 20),
    GiB: unit('bytes', 0, 2 ** 30),
    TiB: unit('bytes', 0, 2 ** 40),
    ms: unit('seconds', -3),
    s: unit('seconds'),
    m: unit('seconds', 0, 60),
    min: unit('seconds', 0, 60),
    h: unit('seconds', 0, 3600),
    d: unit('seconds', 0, 86_400),
    second: unit('seconds'),
    seconds: unit('seconds'),
    minute: unit('seconds', 0, 60),
    minutes: unit('seconds', 0, 60),
    hour: unit('seconds', 0, 3600),
    hours: unit('seconds', 0, 3600),
    day: unit('seconds', 0, 86_400),
    days: unit('seconds', 0, 86_400),
    token: unit('tokens'),
    tokens: unit('tokens'),
    step: unit('steps'),
    steps: unit('steps'),
    epoch: unit('epochs'),
    epochs: unit('epochs'),
    row: unit('count'),
    rows: unit('count'),
  }),
);

/** Without the singulars (`token`) and other spellings (`KB`). */
export const allUnits: readonly string[] = [...units.keys()]
  .filter((name) => !units.has(`${name}s`) || name.length < 3)
  .filter((name) => name !== 'KB' && name !== 'min');

/** Which units an option takes; one that says nothing takes the powers of ten. */
const accepted: { readonly [K in Unit | 'none']: readonly UnitEntry['measures'][] } = {
  none: ['scale'],
  count: ['scale', 'count'],
  tokens: ['scale', 'tokens'],
  steps: ['scale', 'steps'],
  epochs: ['epochs'],
  bytes: ['bytes'],
  seconds: ['seconds'],
  ratio: ['ratio'],
  rate: ['ratio'],
};

export const measuredAs: { readonly [K in Unit | 'none']: string } = {
  none: 'a plain number',
  count: 'a count',
  tokens: 'a number of tokens',
  steps: 'a number of steps',
  epochs: 'a number of epochs',
  bytes: 'a number of bytes',
  seconds: 'a time',
  ratio: 'a share',
  rate: 'a rate',
};

export type QuantityReading =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | {
      readonly kind: 'unknown unit' | 'wrong unit';
      readonly unit: string;
      readonly number: string;
      readonly legal: readonly string[];
    };

const number = '[+-]?(?:\\d[\\d_]*(?:\\.\\d[\\d_]*)?|\\.\\d[\\d_]*)(?:[eE][+-]?\\d+)?';
const quantity = new RegExp(`^(${number})(?:\\.\\.(${number}))?([^\\d\\s][^\\s]*)?(?:\\s+(\\S+))?$`);

/** `24GB` of an option that counts bytes is 24000000000. `undefined` where the text is no quantity at all. */
export function readQuantity(text: string, measured: Unit | undefined): QuantityReading | undefined {
  const match = quantity.exec(text);
  if (match === null) return undefined;
  const [, first, last, attached, apart] = match;
  const accepts = accepted[measured ?? 'none'];
  let power = 0;
  let times = 1;
  for (const written of [attached, apart]) {
    if (written === undefined) continue;
    const known = units.get(written);
    if (known === undefined || !accepts.includes(known.measures)) {
      const legal = legalUnits(measured);
      const digits = last === undefined ? first! : `${first}..${last}`;
      return {
        kind: known === undefined ? 'unknown unit' : 'wrong unit',
        unit: written,
        number: digits,
        legal,
      };
    }
    power += known.power ?? 0;
    times *= known.times ?? 1;
  }
  const low = scaled(first!, power) * times;
  return last === undefined
    ? { kind: 'number', value: low }
    : { kind: 'range', low, high: scaled(last, power) * times };
}

/** The units that fit, each in one spelling. */
export function legalUnits(measured: Unit | undefined): string[] {
  const accepts = accepted[measured ?? 'none'];
  return allUnits.filter((name) => accepts.includes(units.get(name)!.measures));
}

/** The nearest number to digits × 10^power, without the rounding of a product. */
function scaled(digits: string, power: number): number {
  const [mantissa, exponent = '0'] = digits.replaceAll('_', '').split(/[eE]/);
  return Number(`${mantissa}e${Number(exponent) + power}`);
}
