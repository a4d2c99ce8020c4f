/** The devices that a pipeline may ask for, and what this version of ftc can use of them. */
import { DiagnosticError, diagnose } from '../compiler/diagnostics/diagnostic.ts';
import { nearest } from '../compiler/diagnostics/nearest.ts';
import { UsageError } from './command.ts';

/** Why a device cannot be used; absent where it can. */
export const devices: ReadonlyMap<string, string | undefined> = new Map([
  ['cpu', undefined],
  ['webgpu', 'this version of ftc runs its programs on the CPU alone'],
  ['cuda', 'this version of ftc runs its programs on the CPU alone'],
  ['tfjs-node-gpu', 'this version of ftc has no TensorFlow.js executable'],
]);

/** @throws UsageError for a name that is no device; DiagnosticError `no-device` for one that cannot be used. */
export function requireDevice(name: string): void {
  if (name === 'auto') return;
  if (!devices.has(name)) {
    const meant = nearest(name, ['auto', ...devices.keys()]);
    throw new UsageError(
      `there is no device \`${name}\``,
      meant === undefined
        ? `devices: auto, ${[...devices.keys()].join(', ')}`
        : `did you mean \`--device ${meant}\`?`,
    );
  }
  const why = devices.get(name);
  if (why === undefined) return;
  const offered = [...devices].flatMap(([one, reason]) => (reason === undefined ? [one] : []));
  throw new DiagnosticError(diagnose('no-device', { device: name, why, offered }));
}
