/** The engine's process: one request comes in, events go out, `stop` asks it to save and leave. */
import { readFileSync } from 'node:fs';
import { type RunRequest, run } from './engine.ts';

type Message = { readonly type: 'run'; readonly request: RunRequest } | { readonly type: 'stop' };

let stop = false;

const version = (): string =>
  (
    JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    }
  ).version;

async function serve(request: RunRequest): Promise<void> {
  for await (const event of run(request, version(), () => stop)) {
    await new Promise<void>((resolve) => process.send!(event, () => resolve()));
  }
  if (process.connected) process.disconnect();
}

process.on('message', (message: Message) => {
  if (message.type === 'stop') stop = true;
  else void serve(message.request);
});
// Signals reach the whole group, and the parent says the same in its own words; whoever signals this process alone, or
// ends the parent, wants what was done to be kept.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) {
  process.on(signal, () => {
    stop = true;
  });
}
