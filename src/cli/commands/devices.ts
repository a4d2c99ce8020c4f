/** `ftc devices`: what this machine offers, measured, and why something is not usable. */
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { deviceSpeed } from '../../runtime/devices/speed.ts';
import type { RunCommand } from '../command.ts';
import { devices } from '../devices.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatBytes } from '../format-numbers.ts';

export const run: RunCommand = async (given, { line, style }) => {
  const { operationsPerSecond, bytesPerSecond } = await deviceSpeed();
  const cpu = {
    name: cpus()[0]?.model.trim() ?? process.arch,
    cores: availableParallelism(),
    memory_bytes: totalmem(),
    free_memory_bytes: freemem(),
    operations_per_second: Math.round(operationsPerSecond),
    copied_bytes_per_second: Math.round(bytesPerSecond),
  };
  const list = [...devices].map(([device, why]) => ({
    device,
    usable: why === undefined,
    ...(why === undefined ? {} : { why }),
    ...(device === 'cpu' ? cpu : {}),
  }));
  if (given.has('json')) {
    line(JSON.stringify({ format_version: '1.0', devices: list }));
    return exitCodes.ok;
  }
  const width = Math.max(...list.map(({ device }) => device.length));
  for (const { device, why } of list) {
    const sign = why === undefined ? style.green('✔') : style.dim('✗');
    line(`${sign} ${style.bold(device.padEnd(width))}  ${why ?? `${cpu.name}, ${cores(cpu.cores)}`}`);
    if (device !== 'cpu') continue;
    const speed = `${(operationsPerSecond / 1e9).toFixed(0)} billion operations a second in training`;
    line(`  ${' '.repeat(width)}  ${speed}, copies ${formatBytes(bytesPerSecond)} a second`);
    line(
      `  ${' '.repeat(width)}  ${formatBytes(cpu.memory_bytes)} of memory, ${formatBytes(cpu.free_memory_bytes)} free`,
    );
  }
  return exitCodes.ok;
};

function cores(count: number): string {
  return count === 1 ? 'one core' : `${count} cores`;
}
