/** Numbers as people read them. */

/** `1,234,567` */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `3.41M`, `16.4k`, `812`: three figures and a power of ten. */
export function formatShortCount(value: number): string {
  for (const [size, suffix] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    // 999,950 would print as "1000k": it belongs to the next unit.
    if (Math.abs(value) >= size * 0.9995) return `${threeFigures(value / size)}${suffix}`;
  }
  return String(Math.round(value));
}

/** Powers of ten: 1 GB is 10⁹ bytes. */
export function formatBytes(bytes: number): string {
  for (const [size, unit] of [
    [1e12, 'TB'],
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ] as const) {
    if (bytes >= size * 0.9995) return `${threeFigures(bytes / size)} ${unit}`;
  }
  return `${Math.round(bytes)} B`;
}

/** `0.4s`, `12.4s`, `1m 21s`, `2h 05m`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 59.95) return `${seconds < 0.05 ? 0 : seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 2880) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  return `${Math.round(minutes / 1440)} days`;
}

/** A duration that counts down once a second: no tenths to flicker. */
export function formatEta(seconds: number): string {
  return seconds < 60 ? `${Math.max(0, Math.round(seconds))}s` : formatSeconds(seconds);
}

/** An estimate: no more figures than it can have. */
function formatEstimate(seconds: number): string {
  return seconds >= 10 ? formatEta(seconds) : formatSeconds(seconds);
}

/** `21s – 40s`; a dash where nothing is to be done. */
export function formatRange({ low, high }: { readonly low: number; readonly high: number }): string {
  if (high === 0) return '–';
  const [from, to] = [formatEstimate(low), formatEstimate(high)];
  return from === to ? from : `${from} – ${to}`;
}

/** A metric or an option: four significant figures, powers of ten only where they are shorter. */
export function formatMetric(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  // Sums that cancel leave a trace of rounding: nothing that a person measures is that small.
  if (size < 1e-12) return '0';
  if (Number.isInteger(value) && size < 1e6) return formatCount(value);
  if (size >= 1e6) return formatShortCount(value);
  if (size < 1e-3) return value.toExponential(1).replace('.0e', 'e');
  if (size >= 100) return formatCount(value);
  return value.toFixed(size >= 10 ? 1 : 3);
}

function threeFigures(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2).replace(/\.0+$/, '');
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
