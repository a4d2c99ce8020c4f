/** A directory with a tiny pipeline and its data, and the engine run in this process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../../src/compiler/compile.ts';
import type { ExecutionGraph } from '../../src/compiler/graph/graph.ts';
import { catalog } from '../../src/runtime/catalog.ts';
import { type RunRequest, run } from '../../src/runtime/run/engine.ts';
import type { RunEvent } from '../../src/runtime/run/events.ts';
import { type PlanRequest, planPipeline } from '../../src/runtime/run/plan.ts';
import type { Plan } from '../../src/runtime/run/plan-types.ts';
import { temporaryDirectory, writeFiles } from '../temporary-directory.ts';
import { tinyData } from './tiny-data.ts';

/** The smallest model that has everything. */
export const TINY = 'model=llama(layers=1 width=32 heads=2 context=32) vocabulary=300';

type Range = Pick<PlanRequest, 'only' | 'from' | 'until' | 'memoryBytes' | 'numbers'>;
type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** What a run said. */
export class Said {
  constructor(readonly events: readonly RunEvent[]) {}

  of<T extends RunEvent['type']>(type: T, stage?: string): EventOf<T>[] {
    const all = this.events.filter((e): e is EventOf<T> => e.type === type);
    return stage === undefined ? all : all.filter((e) => 'stage' in e && e.stage === stage);
  }
  get end(): EventOf<'run_finished'> {
    return this.of('run_finished')[0]!;
  }
  /** A metric at every step of a stage. */
  series(stage: string, metric: string): number[] {
    return this.of('step', stage).map((e) => e.metrics[metric]!);
  }
  finished(stage: string): EventOf<'stage_finished'> {
    const found = this.of('stage_finished', stage)[0];
    if (!found) throw new Error(`${stage} did not finish: ${JSON.stringify(this.of('diagnostic'))}`);
    return found;
  }
  /** Hashes of all artifacts by `stage.slot`. */
  get artifacts(): Record<string, string> {
    return Object.fromEntries(
      this.of('stage_finished').flatMap((e) =>
        Object.entries(e.artifacts).map(([slot, hash]) => [`${e.stage}.${slot}`, hash]),
      ),
    );
  }
  /** Stages that were computed, not found. */
  get computed(): string[] {
    return this.of('stage_started')
      .filter((e) => e.action !== 'cached')
      .map((e) => e.stage);
  }
}

export class Workshop {
  readonly directory = temporaryDirectory();
  readonly file = join(this.directory, 'tiny.ftp');
  readonly store = join(this.directory, '.ftc');
  private graph: ExecutionGraph | undefined;

  constructor(text: string, files: { readonly [path: string]: string } = tinyData) {
    writeFiles(this.directory, files);
    this.pipeline(text);
  }

  write(path: string, content: string): void {
    writeFiles(this.directory, { [path]: content });
  }

  read = (path: string): string => readFileSync(join(this.directory, path), 'utf8');

  /** Another text in the same file. */
  pipeline(text: string): void {
    this.write('tiny.ftp', text);
    const { graph, diagnostics } = compile({ path: this.file, text }, { catalog });
    if (!graph) throw new Error(diagnostics.map((d) => `${d.name}: ${JSON.stringify(d)}`).join('\n'));
    this.graph = graph;
  }

  plan(store = this.store, range: Range = {}): Promise<Plan> {
    const { graph, file } = this;
    return planPipeline({ graph: graph!, file, storeDirectory: store, device: 'auto', ...range });
  }

  request(plan: Plan, store = this.store): RunRequest {
    return { file: this.file, plan, graph: this.graph!, store, device: 'auto' };
  }

  /** Plans and runs; `stopAfter` is asked after every event. */
  async run(
    range: Range & { store?: string; plan?: Plan; stopAfter?: (event: RunEvent) => boolean } = {},
  ): Promise<Said> {
    const { store = this.store, stopAfter, plan: made, ...rest } = range;
    const plan = made ?? (await this.plan(store, rest));
    let stop = false;
    const events: RunEvent[] = [];
    for await (const event of run(this.request(plan, store), '0.0.0', () => stop)) {
      events.push(event);
      stop ||= stopAfter?.(event) ?? false;
    }
    return new Said(events);
  }
}

/** Makes the workshops of a test file; they are removed after it. */
export const workshops = () => (text: string, files?: { readonly [path: string]: string }) =>
  new Workshop(text, files);

/** Stops after a step of a stage. */
export const atStep = (stage: string, step: number) => (event: RunEvent) =>
  event.type === 'step' && event.stage === stage && event.step === step;
