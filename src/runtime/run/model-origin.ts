/** Where the model that an adapter stands on lies. */
import { readModelLink } from './model-link.ts';

/** The directory of an artifact's model: its own, or where the model lies that it opened; `name` is that on a hub. */
export async function placeOf(
  artifact: string,
): Promise<{ readonly directory: string; readonly name?: string }> {
  const opened = await readModelLink(artifact);
  // With an adapter folded in, only the artifact is the whole base.
  if (opened === undefined || opened.adapter !== undefined) return { directory: artifact };
  return { directory: opened.directory, ...(opened.commit !== undefined && { name: opened.name }) };
}
