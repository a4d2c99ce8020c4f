/** One HTTP request, without redirects and without another attempt. */
import { HubError } from './hub-error.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The bytes as they come. @throws Interrupted where they are cut or do not come any more */
  body(): AsyncIterable<Uint8Array>;
  /** @throws HubError `bad-answer` where the body is none */
  json(): Promise<unknown>;
  /** Lets go of a body that nobody reads. */
  discard(): Promise<void>;
}

/** The connection failed on the way; another attempt may do better. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const LARGEST_JSON_BYTES = 64e6;

/**
 * @param silenceMilliseconds longest time without a byte of the answer
 * @throws Interrupted; the signal's reason, when it is given
 */
export async function ask(
  address: URL,
  request: { readonly method: string; readonly headers: { readonly [name: string]: string } },
  silenceMilliseconds: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const silence = new Silence(silenceMilliseconds);
  const response = await orInterrupted(silence, signal, () =>
    fetch(address, {
      ...request,
      redirect: 'manual',
      signal: signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
    }),
  );
  const body = (): AsyncIterable<Uint8Array> => bytesOf(response, silence, signal);
  return {
    status: response.status,
    headers: response.headers,
    body,
    json: () => jsonOf(body(), address),
    discard: async () => response.body?.cancel().catch(() => {}),
  };
}

async function* bytesOf(
  { body }: Response,
  silence: Silence,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  try {
    while (reader !== undefined) {
      const { done, value } = await orInterrupted(silence, signal, () => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader?.cancel().catch(() => {});
  }
}

async function jsonOf(body: AsyncIterable<Uint8Array>, { host }: URL): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    if (size > LARGEST_JSON_BYTES) break;
  }
  try {
    if (size > LARGEST_JSON_BYTES) throw new RangeError('too long');
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new HubError('bad-answer', `${host} answers with something else than JSON`, {
      help: ['is HF_ENDPOINT the address of a hub, and does no proxy or login page stand in between?'],
    });
  }
}

/** Waits for the server, but not for ever. */
async function orInterrupted<T>(
  silence: Silence,
  signal: AbortSignal | undefined,
  wait: () => Promise<T>,
): Promise<T> {
  silence.begin();
  try {
    return await wait();
  } catch (error) {
    signal?.throwIfAborted();
    if (silence.signal.aborted) throw new Interrupted(`silence for ${silence.milliseconds / 1000} s`);
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Interrupted(cause instanceof Error ? cause.message : String(cause));
  } finally {
    silence.end();
  }
}

/** Ends a request whose server says nothing for long. */
class Silence {
  readonly milliseconds: number;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    this.milliseconds = milliseconds;
  }
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  begin(): void {
    this.#timer = setTimeout(() => this.#controller.abort(), this.milliseconds);
  }
  end(): void {
    clearTimeout(this.#timer);
  }
}
