/** Resident memory of another process, in bytes, where the system tells. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** undefined where the process is gone or the system does not tell. */
export async function residentBytes(processId: number): Promise<number | undefined> {
  try {
    if (process.platform === 'linux') {
      const status = await readFile(`/proc/${processId}/status`, 'utf8');
      const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
      return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
    }
    if (process.platform === 'win32') return undefined;
    const { stdout } = await execute('ps', ['-o', 'rss=', '-p', String(processId)]);
    const kibibytes = Number(stdout.trim());
    return Number.isFinite(kibibytes) && kibibytes > 0 ? kibibytes * 1024 : undefined;
  } catch {
    return undefined;
  }
}
