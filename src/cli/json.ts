/** The JSON face: one event per line, the version first. */
import type { RunEvent } from '../runtime/run/events.ts';
import type { Face } from './face.ts';

/** Non-finite metrics become null, as JSON has no other word for them. */
export function jsonFace(write: (text: string) => void, ftc: string): Face {
  const line = (event: RunEvent) => write(`${JSON.stringify(event)}\n`);
  line({ type: 'version', format_version: '1.0', ftc });
  return {
    show: (event) => {
      if (event.type === 'version' || event.type === 'memory' || event.type === 'stopping') return;
      line(event);
    },
    close: () => {},
  };
}
