/** Figures of a proof, for who reads along. */
export function report(of: string, what: string, numbers: Readonly<Record<string, number>>): void {
  const text = Object.entries(numbers).map(([name, x]) => `${name} ${x.toFixed(4)}`);
  process.stderr.write(`${of}  ${what.padEnd(10)}  ${text.join('  ')}\n`);
}
