/** A question to a hub: who gets the token, redirects, another attempt. */
import { answerError, type Subject, unreachable } from './answer-error.ts';
import { type Answer, ask, Interrupted } from './ask.ts';
import { HubError } from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';

export interface Request {
  /** After the endpoint: `/api/models/…`. */
  readonly path: string;
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: { readonly [name: string]: string };
  /** Statuses besides 200 that the caller deals with. */
  readonly accepts?: readonly number[];
  /** Whether a redirect to another host is followed, or is itself the answer. */
  readonly leavesHost?: boolean;
  readonly subject: Subject;
  readonly attempts?: number;
}

export const ATTEMPTS = 5;
const MOST_REDIRECTS = 10;
const LONGEST_PAUSE_MILLISECONDS = 120_000;
/** Answers that a later attempt may mend. */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Redirects on the hub's own host are followed; only that host is given the token.
 * @throws HubError for what no attempt mends, or after the last one; the signal's reason, when it is given
 */
export async function sendRequest(
  request: Request,
  settings: HubSettings,
  signal?: AbortSignal,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    let failure: HubError;
    let pause = pauseBefore(attempt);
    try {
      const answer = await follow(request, settings, signal);
      if (isWanted(answer.status, request)) return answer;
      await answer.discard();
      failure = answerError(answer, request.subject, settings);
      if (!TRANSIENT.has(answer.status)) throw failure;
      pause = askedPause(answer.headers) ?? pause;
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      failure = unreachable(settings, error.message);
    }
    if (attempt >= (request.attempts ?? ATTEMPTS) || pause > LONGEST_PAUSE_MILLISECONDS) throw failure;
    await settings.pause(pause, signal);
  }
}

/** Milliseconds: one, two, four … seconds, a little apart for processes that failed together. */
export function pauseBefore(attempt: number): number {
  return Math.min(1000 * 2 ** (attempt - 1), 30_000) * (1 + Math.random() / 4);
}

function isWanted(status: number, { accepts, leavesHost }: Request): boolean {
  return status === 200 || (accepts?.includes(status) ?? false) || (!leavesHost && REDIRECTS.has(status));
}

async function follow(
  request: Request,
  settings: HubSettings,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const { endpoint, token, silenceMilliseconds } = settings;
  let address = new URL(endpoint.href.replace(/\/$/, '') + request.path);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const headers = {
      'user-agent': 'ftc',
      // Lengths and ranges are those of the file only where nothing compresses it on the way.
      'accept-encoding': 'identity',
      ...request.headers,
      ...(token !== undefined && isSameHost(address, endpoint) && { authorization: `Bearer ${token}` }),
    };
    const answer = await ask(
      address,
      { method: request.method ?? 'GET', headers },
      silenceMilliseconds,
      signal,
    );
    const to = REDIRECTS.has(answer.status) ? answer.headers.get('location') : null;
    if (to === null) return answer;
    const next = URL.canParse(to, address.href) ? new URL(to, address) : undefined;
    if (next === undefined || !/^https?:$/.test(next.protocol))
      throw new HubError('bad-answer', `${address.host} sends on to ${JSON.stringify(to.slice(0, 200))}`);
    if (!request.leavesHost && !isSameHost(next, endpoint)) return answer;
    await answer.discard();
    address = next;
  }
  throw new HubError('bad-answer', `${endpoint.host} sends from one address to the next without an end`);
}

/** The hub's own host and port; from https to http is leaving it. */
function isSameHost(address: URL, endpoint: URL): boolean {
  if (address.origin === endpoint.origin) return true;
  const standardPorts = address.port === '' && endpoint.port === '';
  return address.hostname === endpoint.hostname && standardPorts && address.protocol === 'https:';
}

/** Milliseconds of Retry-After (seconds or a date), or of the `t` in the hub's RateLimit header. */
function askedPause(headers: Headers): number | undefined {
  const after = headers.get('retry-after');
  if (after !== null) {
    const seconds = Number(after);
    const milliseconds = Number.isFinite(seconds) ? 1000 * seconds : Date.parse(after) - Date.now();
    return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
  }
  const reset = /(?:^|;)\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  return reset === undefined ? undefined : 1000 * Number(reset);
}
