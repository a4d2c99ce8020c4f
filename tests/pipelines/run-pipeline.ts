/** A pipeline of pipelines/ run by the built `ftc`, in a copy of its own. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metrics, RunEvent } from '../../src/runtime/run/events.ts';
import { ftc } from '../cli/ftc.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { pipelines } from './generated.ts';

export interface Recorded {
  readonly code: number | null;
  readonly store: string;
  readonly events: readonly RunEvent[];
  /** Of a stage when it finished, its `eval_` metrics included. */
  metrics(stage: string): Metrics;
  /** On held-out rows before the first step of a stage. */
  before(stage: string): Metrics;
  /** Of every step of a stage. */
  steps(stage: string): readonly Metrics[];
  /** Hash of what a stage made. */
  artifact(stage: string, slot: string): string;
}

/** Copies the file and its folder of data; `run` may change the text first. */
export function copyOf(file: string, data: string) {
  const folder = temporaryDirectory();
  cpSync(join(pipelines, data), join(folder, data), { recursive: true });
  mkdirSync(join(folder, 'out'), { recursive: true });
  const text = readFileSync(join(pipelines, file), 'utf8');
  return async (
    words: readonly string[],
    change: (text: string) => string = (same) => same,
  ): Promise<Recorded> => {
    writeFileSync(join(folder, file), change(text));
    const { code, stdout } = await ftc(['run', file, '--json', '--yes', ...words], { cwd: folder });
    return record(
      join(folder, '.ftc'),
      code,
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as RunEvent),
    );
  };
}

function record(store: string, code: number | null, events: readonly RunEvent[]): Recorded {
  const first = (found: readonly Metrics[], what: string): Metrics => {
    if (found[0] === undefined) throw new Error(`the run has no ${what}`);
    return found[0];
  };
  const steps = (stage: string) =>
    events.flatMap((e) => (e.type === 'step' && e.stage === stage ? [e.metrics] : []));
  const finished = (stage: string) =>
    events.flatMap((e) => (e.type === 'stage_finished' && e.stage === stage ? [e.metrics] : []));
  const start = (stage: string) =>
    events.flatMap((e) => (e.type === 'evaluated' && e.stage === stage && e.step === 0 ? [e.metrics] : []));
  return {
    code,
    store,
    events,
    metrics: (stage) => first(finished(stage), `end of ${stage}`),
    before: (stage) => first(start(stage), `evaluation before ${stage}`),
    steps,
    artifact: (stage, slot) => {
      const [made] = events.flatMap((e) =>
        e.type === 'stage_finished' && e.stage === stage ? [e.artifacts[slot]] : [],
      );
      if (made === undefined) throw new Error(`${stage} made no ${slot}`);
      return made;
    },
  };
}
