/** A face of a run: it is shown every event, in order, and the view after it. */
import type { RunEvent } from '../runtime/run/events.ts';
import type { RunView, ViewSignal } from './view-model.ts';

export interface Face {
  /** `at`: milliseconds on a monotonic clock. */
  readonly show: (event: RunEvent | ViewSignal, view: RunView, at: number) => void;
  /** Called once, after the last event; resolves when everything is written. */
  readonly close: (view: RunView) => Promise<void> | void;
}
