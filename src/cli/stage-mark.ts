/** The sign and the colour of a stage's state, the same in every face. */
import type { StageState } from './view-model.ts';

export interface StageMark {
  readonly sign: string;
  readonly color: 'green' | 'red' | 'yellow' | 'cyan' | 'dim';
}

const marks: { readonly [state in StageState]: StageMark } = {
  waiting: { sign: '○', color: 'dim' },
  running: { sign: '●', color: 'cyan' },
  done: { sign: '✔', color: 'green' },
  cached: { sign: '=', color: 'green' },
  blocked: { sign: '✗', color: 'red' },
  failed: { sign: '✗', color: 'red' },
  gate_failed: { sign: '✗', color: 'red' },
  stopped: { sign: '■', color: 'yellow' },
  skipped: { sign: '·', color: 'dim' },
};

export function stageMark(state: StageState): StageMark {
  return marks[state];
}
