/** The command that goes on with a run: what it was made from, without what only concerned its looks. */
import { quoted } from './quoted.ts';
import type { PlanSource } from './saved-plan.ts';

/** A stage that `--from` made run again is unfinished now: the next run finds that by itself. */
export function resumeCommand(source: PlanSource): string {
  const { file, pipeline, profile, set, store, only, until } = source;
  const device = source.device === 'auto' ? undefined : source.device;
  const flags = Object.entries({ pipeline, profile, set, device, store, only, until });
  const words = flags.flatMap(([flag, value]) =>
    [value ?? []].flat().flatMap((one) => [`--${flag}`, quoted(one)]),
  );
  return ['ftc run', quoted(file), ...words].join(' ');
}

/** ` --store DIR` where other commands would not find the store by themselves. */
export function storeFlag(store: string): string {
  return store === '.ftc' ? '' : ` --store ${quoted(store)}`;
}
