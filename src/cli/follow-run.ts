/** Runs the engine and shows every event to the faces, until it has left; answers signals in between. */
import { performance } from 'node:perf_hooks';
import type { RunEvent } from '../runtime/run/events.ts';
import { explainDeath } from './engine-death.ts';
import { residentBytes } from './engine-memory.ts';
import { type EngineExit, type EngineRequest, startEngine } from './engine-process.ts';
import { exitCodes, type StopSignal, signalExitCodes } from './exit-codes.ts';
import type { Face } from './face.ts';
import { emptyView, type RunView, reduce, type ViewSignal } from './view-model.ts';

export interface FollowOptions {
  readonly request: EngineRequest;
  readonly faces: readonly Face[];
  /** The command that goes on with this run. */
  readonly resume: string;
  /** Another engine than ftc's own. */
  readonly main?: URL;
  /** Receives what the engine's libraries print. */
  readonly log?: (text: string) => void;
}

export interface RunControl {
  /** First call: finish the step, save, leave. Second: leave now. */
  readonly stop: (signal: StopSignal) => void;
}

const memoryInterval = 1000;

/** Resolves to the exit code of the run. `control` is filled in before the first event (a face may stop the run). */
export async function followRun(
  options: FollowOptions,
  control: { current?: RunControl } = {},
): Promise<number> {
  const { request, faces, resume } = options;
  const engine = startEngine(request, options);
  let view: RunView = emptyView;
  const show = (event: RunEvent | ViewSignal) => {
    const at = performance.now();
    view = reduce(view, event, at);
    for (const face of faces) face.show(event, view, at);
  };
  let stoppedBy: StopSignal | undefined;
  let killed = false;
  const stop = (signal: StopSignal) => {
    if (stoppedBy !== undefined) {
      killed = true;
      return engine.kill();
    }
    stoppedBy = signal;
    engine.stop();
    show({ type: 'stopping' });
  };
  control.current = { stop };
  const release = onSignals(stop);
  const timer = setInterval(async () => {
    const bytes = engine.processId === undefined ? undefined : await residentBytes(engine.processId);
    if (bytes !== undefined && view.status === undefined) show({ type: 'memory', bytes });
  }, memoryInterval);
  try {
    for await (const event of engine.events) show(signed(event));
    const exit = await engine.exit;
    if (view.status === undefined) finishFor(exit);
  } finally {
    clearInterval(timer);
    engine.kill();
  }
  for (const face of faces) await face.close(view);
  release();
  return view.exitCode ?? exitCodes.bug;

  /** The engine does not know which signal it was stopped for. */
  function signed(event: RunEvent): RunEvent {
    if (event.type !== 'run_finished' || event.status !== 'stopped' || stoppedBy === undefined) return event;
    return { ...event, exit_code: signalExitCodes[stoppedBy] };
  }

  /** The engine left without saying how the run ended: say it in its place. */
  function finishFor(exit: EngineExit): void {
    const run = view.run ?? '';
    const seconds = view.startedAt === undefined ? 0 : (performance.now() - view.startedAt) / 1000;
    if (stoppedBy !== undefined && (killed || exit.signal === stoppedBy)) {
      show({ type: 'run_finished', run, status: 'stopped', exit_code: signalExitCodes[stoppedBy], seconds });
      return;
    }
    const { problem, exitCode } = explainDeath(exit, view, request.graph, resume);
    show(problem);
    show({ type: 'run_finished', run, status: 'failed', exit_code: exitCode, seconds });
  }
}

function onSignals(stop: (signal: StopSignal) => void): () => void {
  const listeners = (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE'] as const).map((signal) => {
    const listener = () => stop(signal);
    process.on(signal, listener);
    return () => void process.off(signal, listener);
  });
  return () => {
    for (const off of listeners) off();
  };
}
