/** The live face: ink draws the view a few times a second; keys stop the run. */
import { performance } from 'node:perf_hooks';
import { render, useInput } from 'ink';
import { displayWidth } from '../../compiler/source/width.ts';
import type { RunEvent } from '../../runtime/run/events.ts';
import type { Face } from '../face.ts';
import { emptyView, type RunView, type ViewSignal } from '../view-model.ts';
import { RunScreen, type RunScreenProps } from './run-screen.tsx';
import type { ScrollItem } from './scroll-line.tsx';

export interface TerminalOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  readonly resume: string;
  /** `q` or Ctrl-C was pressed. */
  readonly onStop: () => void;
}

/** Milliseconds between frames: smooth enough, and training keeps the cores. */
const framePeriod = 200;

export function terminalFace({ stdout, stdin, resume, onStop }: TerminalOptions): Face {
  let view: RunView = emptyView;
  const scrolled: ScrollItem[] = [];
  const screen = () => {
    const props: RunScreenProps = {
      view,
      scrolled: [...scrolled],
      columns: stdout.columns || 80,
      rows: stdout.rows || 24,
      now: performance.now(),
      resume,
    };
    return stdin.isTTY ? <WithKeys {...props} onStop={onStop} /> : <RunScreen {...props} />;
  };
  const instance = render(screen(), { stdout, stdin, exitOnCtrlC: false, patchConsole: false });
  const draw = () => instance.rerender(screen());
  const timer = setInterval(draw, framePeriod);
  stdout.on('resize', draw);
  return {
    show: (event, next) => {
      view = next;
      const item = scrollItem(event, next);
      if (item !== undefined) scrolled.push(item);
    },
    close: async () => {
      clearInterval(timer);
      stdout.off('resize', draw);
      draw();
      instance.unmount();
      await instance.waitUntilExit();
    },
  };
}

function WithKeys({ onStop, ...props }: RunScreenProps & { readonly onStop: () => void }) {
  useInput((input, key) => {
    if (input === 'q' || input === 'Q' || (key.ctrl && input === 'c')) onStop();
  });
  return <RunScreen {...props} />;
}

/** What of an event stays in the terminal once the live view has moved on. */
export function scrollItem(event: RunEvent | ViewSignal, view: RunView): ScrollItem | undefined {
  switch (event.type) {
    case 'stage_finished': {
      const stage = view.stages.find(({ id }) => id === event.stage);
      const width = Math.max(...view.stages.map(({ id }) => displayWidth(id)));
      return stage && { kind: 'stage', stage, width };
    }
    case 'message':
      return event.level === 'info' ? undefined : { kind: 'message', message: event };
    case 'diagnostic':
      return { kind: 'problem', problem: event };
    default:
      return undefined;
  }
}
