import type { RunEvent } from './events.ts';

/** An event as a line of `log.txt`, for who reads what happened later; undefined for what only the events keep. */
export function logLine(event: RunEvent, at: Date): string | undefined {
  const words = describe(event);
  return words === undefined ? undefined : `${at.toISOString()} ${words}`;
}

function describe(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'run_started':
      return `run ${event.run} of ${event.pipeline} on ${event.device}: ${event.stages.join(' → ')}`;
    case 'stage_started':
      return `${event.stage}: ${event.action}${event.from_step === undefined ? '' : ` from step ${event.from_step}`}`;
    case 'stage_finished':
      return event.action === 'cached' ? undefined : `${event.stage}: done in ${event.seconds.toFixed(1)} s`;
    case 'checkpoint':
      return `${event.stage}: saved at step ${event.step}`;
    case 'message':
      return `${event.level === 'info' ? '' : `${event.level}: `}${event.stage === undefined ? '' : `${event.stage}: `}${event.text}`;
    case 'gate':
      return `${event.stage}: ${event.passed ? 'passed' : 'not met'}: ${event.conditions.map(({ text, value }) => `${text} (is ${value})`).join(', ')}`;
    case 'diagnostic':
      return `error[${event.code}] ${event.stage === undefined ? '' : `${event.stage}: `}${event.message}`;
    default:
      return undefined;
  }
}
