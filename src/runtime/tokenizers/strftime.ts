const names = (option: 'weekday' | 'month', length: 'long' | 'short', date: Date) =>
  new Intl.DateTimeFormat('en-US', { [option]: length, timeZone: 'UTC' }).format(date);
const two = (number: number) => String(number).padStart(2, '0');

const fields: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => names('weekday', 'short', date),
  A: (date) => names('weekday', 'long', date),
  b: (date) => names('month', 'short', date),
  B: (date) => names('month', 'long', date),
  d: (date) => two(date.getUTCDate()),
  H: (date) => two(date.getUTCHours()),
  M: (date) => two(date.getUTCMinutes()),
  S: (date) => two(date.getUTCSeconds()),
  m: (date) => two(date.getUTCMonth() + 1),
  y: (date) => two(date.getUTCFullYear() % 100),
  Y: (date) => String(date.getUTCFullYear()),
  '%': () => '%',
};

/** A date by a C format, in UTC and in English; a field it does not know stays as it is. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(.)/g, (written, field: string) => fields[field]?.(date) ?? written);
}
