/** A hub on this machine: the routes of the real one, a second server for large files, and whatever may go wrong. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

export interface Asked {
  readonly server: 'hub' | 'cdn';
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface Fault {
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string | Uint8Array;
  /** Closes the connection after so many bytes of the answer's body. */
  readonly cutAfter?: number;
  /** Says nothing more after so many bytes. */
  readonly stallAfter?: number;
  /** Says nothing. */
  readonly hangs?: true;
  /** Sends all of it whatever range was asked for. */
  readonly ignoresRange?: true;
  /** No content-length. */
  readonly chunked?: true;
}

export interface FakeHub {
  readonly endpoint: string;
  readonly cdn: string;
  readonly asked: Asked[];
  readonly files: Map<string, Uint8Array>;
  /** Revisions besides the commit. */
  readonly revisions: Map<string, string>;
  /** Asked before every answer. */
  fault: (asked: Asked) => Fault | undefined;
  close(): Promise<void>;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const gitHash = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** @param files of the repository `org/tiny`; names that end in .safetensors are served as large ones are */
export async function startHub(files: { readonly [file: string]: string | Uint8Array }): Promise<FakeHub> {
  const hub = {
    asked: [] as Asked[],
    files: new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)])),
    revisions: new Map([['main', COMMIT]]),
    fault: () => undefined,
  } as unknown as FakeHub & { endpoint: string; cdn: string };
  const hubServer = await listen((request, response) => answer('hub', hub, request, response));
  const cdnServer = await listen((request, response) => answer('cdn', hub, request, response));
  hub.endpoint = address(hubServer);
  hub.cdn = address(cdnServer);
  hub.close = async () => {
    for (const server of [hubServer, cdnServer]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  return hub;
}

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const address = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function answer(
  server: 'hub' | 'cdn',
  hub: FakeHub,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { range, authorization } = request.headers;
  const asked = { server, method: request.method!, path: request.url!, range, authorization };
  hub.asked.push(asked);
  const fault = hub.fault(asked) ?? {};
  if (fault.hangs) return;
  if (fault.status !== undefined || fault.body !== undefined) {
    response.writeHead(fault.status ?? 200, { ...fault.headers }).end(fault.body);
    return;
  }
  const revision = /^\/api\/models\/org\/tiny\/revision\/([^?]+)\?blobs=true$/.exec(asked.path)?.[1];
  const file = /^\/org\/tiny\/resolve\/[^/]+\/(.+)$/.exec(asked.path)?.[1];
  if (server === 'cdn') send(hub.files.get(fileOf(asked.path))!, {}, asked, fault, response);
  else if (revision !== undefined) listing(decodeURIComponent(revision), hub, response);
  else if (file !== undefined) resolve(fileOf(file), asked, hub, fault, response);
  else if (asked.path === '/api/models/org/tiny/refs')
    json(response, { branches: [...hub.revisions.keys()].map((name) => ({ name })), tags: [] });
  else if (asked.path.startsWith('/api/models?author=org&')) json(response, [{ id: 'org/tiny' }]);
  else refuse(response, 401, 'RepoNotFound');
}

const fileOf = (path: string): string => decodeURIComponent(path.replace(/^\//, ''));

function listing(revision: string, hub: FakeHub, response: ServerResponse): void {
  const commits = [COMMIT, ...hub.revisions.values()];
  const sha = hub.revisions.get(revision) ?? commits.find((commit) => commit === revision);
  if (sha === undefined) {
    refuse(response, 404, 'RevisionNotFound');
    return;
  }
  const siblings = [...hub.files].map(([rfilename, bytes]) => ({ rfilename, size: bytes.length }));
  json(response, { id: 'org/tiny', sha, siblings });
}

function resolve(file: string, asked: Asked, hub: FakeHub, fault: Fault, response: ServerResponse): void {
  const bytes = hub.files.get(file);
  if (bytes === undefined) {
    refuse(response, 404, 'EntryNotFound');
    return;
  }
  if (!file.endsWith('.safetensors')) {
    send(bytes, { 'x-repo-commit': COMMIT, etag: `"${gitHash(bytes)}"` }, asked, fault, response);
    return;
  }
  const headers = {
    'x-repo-commit': COMMIT,
    'x-linked-etag': `"${sha256(bytes)}"`,
    'x-linked-size': String(bytes.length),
    etag: '"of the redirect"',
    location: `${hub.cdn}/${file}`,
    ...fault.headers,
  };
  response.writeHead(302, headers).end();
}

function send(
  bytes: Uint8Array,
  headers: { readonly [name: string]: string },
  asked: Asked,
  fault: Fault,
  response: ServerResponse,
): void {
  const from = fault.ignoresRange ? undefined : /^bytes=(\d+)-$/.exec(asked.range ?? '')?.[1];
  if (from !== undefined && Number(from) >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const part = bytes.subarray(Number(from ?? 0));
  response.writeHead(from === undefined ? 200 : 206, {
    ...headers,
    ...(!fault.chunked && { 'content-length': part.length }),
    ...(from !== undefined && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    ...fault.headers,
  });
  if (asked.method === 'HEAD') response.end();
  else if (fault.stallAfter !== undefined) response.write(part.subarray(0, fault.stallAfter));
  else if (fault.cutAfter === undefined) response.end(part);
  else response.write(part.subarray(0, fault.cutAfter), () => response.destroy());
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-error-code': code }).end();
}
