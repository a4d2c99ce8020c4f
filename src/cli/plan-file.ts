/** From the command line to a plan: `plan` and `run` share this, so they cannot disagree. */
import { dirname, join } from 'node:path';
import { readQuantity } from '../compiler/checked/units.ts';
import type { ExecutionGraph } from '../compiler/graph/graph.ts';
import { type DeviceNumbers, deviceNumbers, type Plan } from '../runtime/run/plan-types.ts';
import type { Arguments } from './arguments.ts';
import { UsageError } from './command.ts';
import { type Checked, checkFile, type PipelineSettings, pipelineSettings } from './compile-file.ts';
import { requireDevice } from './devices.ts';
import type { PlanSource } from './saved-plan.ts';
import { checkRange, givenRange } from './stage-range.ts';

export interface PlannedFile {
  readonly checked: Checked;
  readonly graph: ExecutionGraph;
  readonly plan: Plan;
  readonly source: PlanSource;
  /** Directory of the store. */
  readonly store: string;
}

export type Planned = PlannedFile | { readonly checked: Checked; readonly plan?: undefined };

export async function planFile(file: string, given: Arguments): Promise<Planned> {
  return planSource(sourceOf(file, given));
}

function sourceOf(file: string, given: Arguments): PlanSource {
  const store = given.value('store');
  const memory = given.value('memory');
  const numbers = given.value('numbers');
  return {
    file,
    ...pipelineSettings(given),
    device: given.value('device') ?? 'auto',
    ...(store === undefined ? {} : { store }),
    ...(memory === undefined ? {} : { memoryBytes: memorySize(memory) }),
    ...(numbers === undefined ? {} : { numbers: numberFormat(numbers) }),
    ...givenRange(given),
  };
}

export async function planSource(source: PlanSource): Promise<Planned> {
  const settings: PipelineSettings = source;
  const checked = checkFile(source.file, settings);
  if (checked.graph === undefined) return { checked };
  checkRange(
    source,
    checked.graph.jobs.map(({ id }) => id),
  );
  const store = storeOf(source.file, source.store);
  requireDevice(source.device);
  const { planPipeline } = await import('../runtime/run/plan.ts');
  const { graph } = checked;
  const plan = await planPipeline({ ...source, graph, storeDirectory: store });
  return { checked, graph, plan, source, store };
}

/** @throws UsageError for what is no size, or too small to be meant. */
function memorySize(text: string): number {
  const read = readQuantity(text, 'bytes');
  if (read?.kind === 'number' && read.value >= SMALLEST_MEMORY) return read.value;
  throw new UsageError(
    `\`--memory ${text}\` is no size of a device's memory`,
    'write it with a unit: `--memory 24GB`',
  );
}

/** @throws UsageError for what is no number format that a plan can be made for. */
function numberFormat(text: string): DeviceNumbers {
  const found = deviceNumbers.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `\`--numbers ${text}\` is no number format of a device`,
    `it takes ${deviceNumbers.join(' or ')}`,
  );
}

/** Nothing runs in less. */
const SMALLEST_MEMORY = 1e6;

/** `.ftc` beside the pipeline file, unless another directory was named. */
export function storeOf(file: string | undefined, store: string | undefined): string {
  return store ?? join(file === undefined ? '.' : dirname(file), '.ftc');
}
