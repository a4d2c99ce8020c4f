/** Flags that several commands take. */
import type { Flag } from './command.ts';

export const common: readonly Flag[] = [
  { name: 'help', short: 'h', summary: 'show this help' },
  { name: 'color', value: 'WHEN', summary: 'auto, always or never' },
  { name: 'quiet', short: 'q', summary: 'only what went wrong' },
  { name: 'verbose', short: 'v', summary: 'more detail' },
];

export const json: Flag = { name: 'json', summary: 'write JSON' };

/** Which pipeline, and with which values. */
export const pipeline: readonly Flag[] = [
  { name: 'pipeline', short: 'p', value: 'NAME', summary: 'which pipeline of the file' },
  { name: 'profile', value: 'NAME', summary: 'apply a profile of the file' },
  { name: 'set', value: 'PATH=VALUE', repeatable: true, summary: 'set a parameter or an option' },
];

/** Which stages of it. */
export const range: readonly Flag[] = [
  { name: 'only', value: 'STAGE', summary: 'run this stage alone, again if it has a result' },
  { name: 'from', value: 'STAGE', summary: 'run this stage and what follows, again if they have results' },
  { name: 'until', value: 'STAGE', summary: 'stop after this stage' },
];

export const machine: readonly Flag[] = [
  { name: 'device', value: 'NAME', summary: 'auto, cpu, webgpu, cuda, …' },
  { name: 'store', value: 'DIR', summary: 'where results are kept (.ftc beside the file)' },
];

export const reporter: Flag = {
  name: 'reporter',
  value: 'NAME[=FILE]',
  repeatable: true,
  summary: 'json, github, markdown or junit',
};

export const store = machine.filter(({ name }) => name === 'store');
