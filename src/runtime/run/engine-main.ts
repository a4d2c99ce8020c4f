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
  process.disconnect();
}

process.on('message', (message: Message) => {
  if (message.type === 'stop') stop = true;
  else void serve(message.request);
});
// The terminal's Ctrl-C reaches the whole group; the parent decides what it means.
process.on('SIGINT', () => {});
process.on('disconnect', () => {
  stop = true;
});
