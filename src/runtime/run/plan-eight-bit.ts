/** Which products `precision=int8` leaves in f32, as far as a plan can know: the first batch decides it. */
import type { StoredResult } from '../store/store.ts';
import { checkpointDirectory } from './checkpoint-directory.ts';
import { decisionInCheckpoint } from './eight-bit-loader.ts';
import type { KeyParts } from './keys.ts';

export interface EightBitKnowledge {
  /** The result that stands. */
  readonly found: StoredResult | undefined;
  /** Where the checkpoint of an unfinished run lies. */
  readonly checkpoint: string | undefined;
  /** Results of the same stage under other keys, the newest first. */
  readonly earlier: readonly StoredResult[];
  readonly parts: KeyParts;
}

/** Errors: StageError `broken-checkpoint`. */
export async function eightBitNotes({
  found,
  checkpoint,
  earlier,
  parts,
}: EightBitKnowledge): Promise<readonly string[]> {
  if (found) return found.notes ?? [];
  const decided = checkpoint === undefined ? undefined : await decisionAt(checkpoint);
  if (decided !== undefined) return [decided];
  const alike = earlier.find((result) => result.notes && result.parts && readTheSame(result.parts, parts));
  const before = alike ? [`when it last ran on this base and these rows, ${alike.notes!.join('; ')}`] : [];
  return [...before, 'which frozen products stay in f32 is measured on the first batch, and said then'];
}

async function decisionAt(directory: string): Promise<string | undefined> {
  const saved = await checkpointDirectory(directory).read();
  return saved && decisionInCheckpoint(saved.tensor).finally(saved.close);
}

const readTheSame = (before: KeyParts, now: KeyParts): boolean =>
  JSON.stringify([before.inputs, before.data]) === JSON.stringify([now.inputs, now.data]);
