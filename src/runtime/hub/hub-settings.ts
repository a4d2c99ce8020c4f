/** Where the hub is, where its files are kept and who asks: the environment variables of Python's huggingface_hub. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HubError } from './hub-error.ts';

/** Names and values as in `process.env`. */
export interface HubEnvironment {
  readonly [name: string]: string | undefined;
}

export interface HubSettings {
  /** Without a slash at the end. */
  readonly endpoint: URL;
  /** The directory of `models--ORG--NAME`. */
  readonly cache: string;
  /** Sent to the endpoint's host and to no other. */
  readonly token: string | undefined;
  /** Nothing is asked of the network. */
  readonly offline: boolean;
  /** Longest silence of a server before another attempt. */
  readonly silenceMilliseconds: number;
  /** Waits between attempts; rejects when the signal is given. */
  readonly pause: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

const TRUE = new Set(['1', 'ON', 'YES', 'TRUE']);
const SILENCE_SECONDS = 10;

/**
 * Reads HF_ENDPOINT, HF_HOME, HF_HUB_CACHE (HUGGINGFACE_HUB_CACHE), XDG_CACHE_HOME, HF_TOKEN
 * (HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HUB_DISABLE_IMPLICIT_TOKEN), HF_HUB_OFFLINE (TRANSFORMERS_OFFLINE) and
 * HF_HUB_DOWNLOAD_TIMEOUT (seconds).
 * @see https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 * @throws HubError `bad-name` where HF_ENDPOINT is no address
 */
export function hubSettings(
  environment: HubEnvironment,
  pause: HubSettings['pause'] = pauseFor,
): HubSettings {
  const path = (value: string): string => expand(value, environment);
  const home = path(
    environment.HF_HOME ||
      join(environment.XDG_CACHE_HOME || join(homeOf(environment), '.cache'), 'huggingface'),
  );
  const seconds = Number(environment.HF_HUB_DOWNLOAD_TIMEOUT || SILENCE_SECONDS);
  return {
    endpoint: endpointOf(environment.HF_ENDPOINT || 'https://huggingface.co'),
    cache: path(environment.HF_HUB_CACHE || environment.HUGGINGFACE_HUB_CACHE || join(home, 'hub')),
    token: isTrue(environment.HF_HUB_DISABLE_IMPLICIT_TOKEN) ? undefined : tokenOf(environment, home, path),
    offline: isTrue(environment.HF_HUB_OFFLINE || environment.TRANSFORMERS_OFFLINE),
    silenceMilliseconds: 1000 * (seconds > 0 ? seconds : SILENCE_SECONDS),
    pause,
  };
}

function isTrue(value: string | undefined): boolean {
  return TRUE.has((value ?? '').toUpperCase());
}

function homeOf(environment: HubEnvironment): string {
  return environment.HOME || homedir();
}

/** `~`, `$NAME` and `${NAME}`, as Python's expanduser and expandvars. */
function expand(path: string, environment: HubEnvironment): string {
  return path
    .replace(/^~(?=$|[\\/])/, () => homeOf(environment))
    .replace(
      /\$(?:(\w+)|\{(\w+)\})/g,
      (all: string, bare?: string, braced?: string) => environment[bare ?? braced ?? ''] ?? all,
    );
}

function endpointOf(text: string): URL {
  const address = URL.canParse(text) ? new URL(text) : undefined;
  if (address === undefined || !/^https?:$/.test(address.protocol)) {
    throw new HubError('bad-name', `HF_ENDPOINT is no address of a hub: ${JSON.stringify(text)}`, {
      help: ['set it to something like https://huggingface.co, or unset it'],
    });
  }
  address.pathname = address.pathname.replace(/\/+$/, '');
  return address;
}

function tokenOf(
  environment: HubEnvironment,
  home: string,
  path: (value: string) => string,
): string | undefined {
  const given = clean(environment.HF_TOKEN) ?? clean(environment.HUGGING_FACE_HUB_TOKEN);
  if (given !== undefined) return given;
  try {
    return clean(readFileSync(path(environment.HF_TOKEN_PATH || join(home, 'token')), 'utf8'));
  } catch {
    return undefined;
  }
}

/** A token as pasted; one that cannot stand in a header says so without being shown. */
function clean(token: string | undefined): string | undefined {
  const bare = token?.trim();
  if (bare === undefined || bare === '') return undefined;
  if (!/^[\x21-\x7e]+$/.test(bare)) {
    throw new HubError('no-access', 'the hub’s token holds characters that no token has', {
      help: ['copy it anew from https://huggingface.co/settings/tokens into HF_TOKEN'],
    });
  }
  return bare;
}

function pauseFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
