/**
 * The engine in a process of its own: training blocks the event loop, and neither a native abort nor the kernel's
 * memory killer may take the terminal with it.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ExecutionGraph } from '../compiler/graph/graph.ts';
import type { RunEvent } from '../runtime/run/events.ts';
import type { Plan } from '../runtime/run/plan-types.ts';

export interface EngineRequest {
  readonly file: string;
  readonly plan: Plan;
  readonly graph: ExecutionGraph;
  /** Directory of the store. */
  readonly store: string;
  readonly device: string;
}

/** How the process left. */
export interface EngineExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last kilobytes it wrote to stderr: what a native library said before it aborted. */
  readonly lastWords: string;
}

export interface Engine {
  readonly processId: number | undefined;
  /** Ends when the process has left and every event it sent has been read. */
  readonly events: AsyncIterable<RunEvent>;
  readonly exit: Promise<EngineExit>;
  /** Finish the step, save, leave. */
  readonly stop: () => void;
  /** Leave now; what was not saved is lost. */
  readonly kill: () => void;
}

const engineMain = new URL('../runtime/run/engine-main.js', import.meta.url);

const keptWords = 8192;

/**
 * glibc: what is larger than this comes from the system and goes back to it. By default the border moves up to 32 MB, and
 * what is freed below it stays with the process: weights that were packed for the engine, gradients of earlier steps (a
 * tenth of the peak of some stages; steps take as long either way).
 */
const largeBytes = String(1 << 20);
const allocator = { MALLOC_MMAP_THRESHOLD_: largeBytes, MALLOC_TRIM_THRESHOLD_: largeBytes };

export function startEngine(
  request: EngineRequest,
  options: { readonly main?: URL; readonly log?: (text: string) => void } = {},
): Engine {
  const child = fork(fileURLToPath(options.main ?? engineMain), [], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // JSON would turn a loss of NaN into null on the way.
    serialization: 'advanced',
    env: { ...allocator, ...process.env },
  });
  let lastWords = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-keptWords);
      options.log?.(text);
    });
  }
  const queue = createQueue<RunEvent>();
  child.on('message', (event) => queue.push(event as RunEvent));
  const exit = new Promise<EngineExit>((resolve) => {
    let status: { code: number | null; signal: NodeJS.Signals | null } | undefined;
    let connected = true;
    const settle = () => {
      if (status === undefined || connected) return;
      queue.end();
      resolve({ ...status, lastWords });
    };
    child.on('error', (error) => {
      lastWords += error.message;
      status ??= { code: 1, signal: null };
      connected = child.connected;
      settle();
    });
    // 'close' follows 'exit' once stdout and stderr are read; 'disconnect' once the last event is.
    child.on('close', (code, signal) => {
      status = { code, signal };
      settle();
    });
    child.on('disconnect', () => {
      connected = false;
      settle();
    });
  });
  const send = (message: object) => {
    if (child.connected) child.send(message, () => {});
  };
  send({ type: 'run', request });
  return {
    processId: child.pid,
    events: queue.items,
    exit,
    stop: () => send({ type: 'stop' }),
    kill: () => void child.kill('SIGKILL'),
  };
}

function createQueue<Item>() {
  const waiting: Item[] = [];
  let ended = false;
  let wake: () => void = () => {};
  return {
    push: (item: Item) => {
      waiting.push(item);
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
    items: {
      async *[Symbol.asyncIterator](): AsyncGenerator<Item, void> {
        for (;;) {
          while (waiting.length > 0) yield waiting.shift()!;
          if (ended) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
    },
  };
}
