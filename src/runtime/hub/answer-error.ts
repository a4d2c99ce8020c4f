/** A hub's refusal, in words that say what to do. */
import { HubError } from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';

/** What was asked for. */
export interface Subject {
  /** `org/name` */
  readonly repository: string;
  readonly revision?: string;
  readonly file?: string;
}

interface Refusal {
  readonly status: number;
  readonly headers: Headers;
}

export function answerError(refusal: Refusal, subject: Subject, settings: HubSettings): HubError {
  const { status, headers } = refusal;
  const { host } = settings.endpoint;
  const code = headers.get('x-error-code');
  if (code === 'GatedRepo') return gated(subject, settings);
  if (code === 'RevisionNotFound')
    return new HubError('no-revision', `\`${subject.repository}\` has no revision \`${subject.revision}\``);
  if (code === 'EntryNotFound') return noFile(subject);
  if (status === 401 && settings.token !== undefined && code !== 'RepoNotFound') {
    return new HubError('no-access', `${host} does not know the token it was given`, {
      help: [`make a new one at ${settings.endpoint.origin}/settings/tokens and set HF_TOKEN to it`],
    });
  }
  if (status === 401 || status === 404 || code === 'RepoNotFound') return noRepository(subject, settings);
  if (status === 403) return forbidden(subject, headers, settings);
  if (status === 429) return tooMany(settings);
  if (status >= 500) return unreachable(settings, `it has a fault of its own (status ${status})`);
  return new HubError('bad-answer', `${host} answers with status ${status}`, {
    notes: [
      `asked for \`${subject.repository}\`${subject.file ? `, ${subject.file}` : ''}`,
      ...said(headers),
    ],
    help: ['is HF_ENDPOINT the address of a hub?'],
  });
}

function noFile({ repository, revision, file }: Subject): HubError {
  return new HubError('no-file', `\`${repository}\` has no ${file} (revision ${revision})`);
}

/** @param why `connect ECONNREFUSED …` */
export function unreachable({ endpoint }: HubSettings, why: string): HubError {
  const proxied = ['HTTPS_PROXY', 'https_proxy'].some((name) => process.env[name]);
  return new HubError('unreachable', `${endpoint.host} cannot be reached: ${why}`, {
    help: [
      ...(proxied ? ['HTTPS_PROXY is set, but Node does not use it here: name a mirror in HF_ENDPOINT'] : []),
      'try again: what was fetched is kept; with HF_HUB_OFFLINE=1 only the cache is used',
    ],
  });
}

function gated({ repository }: Subject, { endpoint, token }: HubSettings): HubError {
  return new HubError('gated', `\`${repository}\` is gated: its conditions have to be accepted first`, {
    help: [
      `accept them at ${endpoint.origin}/${repository}`,
      token === undefined
        ? 'then set HF_TOKEN to a token of that account'
        : 'as the account whose token is used here',
    ],
  });
}

function noRepository({ repository }: Subject, { endpoint, token }: HubSettings): HubError {
  return new HubError('no-repository', `${endpoint.host} has no \`${repository}\`, or it is private`, {
    help: [
      token === undefined
        ? 'if it is private, set HF_TOKEN to a token that may read it'
        : 'if it is private, the token needs the right to read it',
    ],
  });
}

function forbidden({ repository }: Subject, headers: Headers, { endpoint, token }: HubSettings): HubError {
  return new HubError('no-access', `${endpoint.host} does not let \`${repository}\` be read`, {
    notes: said(headers),
    help: [
      token === undefined
        ? 'set HF_TOKEN to a token that may read it'
        : `give the token the right to read it at ${endpoint.origin}/settings/tokens`,
    ],
  });
}

function tooMany({ endpoint, token }: HubSettings): HubError {
  return new HubError('too-many-requests', `${endpoint.host} was asked too often and wants a pause`, {
    help: [
      'try again later: what was fetched is kept',
      ...(token === undefined ? ['with HF_TOKEN the hub allows more'] : []),
    ],
  });
}

function said(headers: Headers): readonly string[] {
  const text = headers.get('x-error-message');
  return text === null ? [] : [`the hub says: ${text.slice(0, 300)}`];
}
