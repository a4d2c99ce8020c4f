/** What was probably meant by a name that a hub does not know. */
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import type { HubErrorKind } from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';
import { sendRequest } from './send-request.ts';

interface NearNames {
  readonly notes: readonly string[];
  readonly help: readonly string[];
}

const NONE: NearNames = { notes: [], help: [] };
const MOST_LISTED = 10;

/** Of a revision among the repository's, of a repository among its owner's; nothing where the hub does not tell. */
export async function nearNames(
  kind: HubErrorKind,
  repository: string,
  revision: string,
  settings: HubSettings,
  signal: AbortSignal | undefined,
): Promise<NearNames> {
  const ask = async (path: string): Promise<unknown> => {
    const answer = await sendRequest({ path, subject: { repository }, attempts: 1 }, settings, signal);
    return answer.json();
  };
  try {
    if (kind === 'no-revision')
      return nearRevision(revision, (await ask(`/api/models/${repository}/refs`)) as Refs);
    const [owner, name] = repository.split('/');
    if (kind !== 'no-repository' || name === undefined) return NONE;
    const models = await ask(`/api/models?author=${owner}&sort=downloads&limit=200`);
    return nearRepository(repository, models as readonly { readonly id: string }[]);
  } catch {
    signal?.throwIfAborted();
    return NONE;
  }
}

interface Refs {
  readonly branches?: readonly { readonly name: string }[];
  readonly tags?: readonly { readonly name: string }[];
}

function nearRevision(revision: string, { branches = [], tags = [] }: Refs): NearNames {
  const names = [...branches, ...tags].map(({ name }) => name);
  const more = names.length > MOST_LISTED ? ', …' : '';
  return {
    notes: [`its branches and tags: ${names.slice(0, MOST_LISTED).join(', ')}${more}`],
    ...meant(nearest(revision, names)),
  };
}

function nearRepository(repository: string, models: readonly { readonly id: string }[]): NearNames {
  const found = nearest(
    repository,
    models.map(({ id }) => id),
  );
  return { ...NONE, ...meant(found) };
}

function meant(name: string | undefined): Pick<NearNames, 'help'> {
  return { help: name === undefined ? [] : [`did you mean \`${name}\`?`] };
}
