/** Running `open`: the model is fetched where it is not here yet. */
import { readableBytes } from '../../compiler/diagnostics/words/words.ts';
import type { Job } from '../../compiler/graph/graph.ts';
import type { HubProgress } from '../hub/progress.ts';
import { Stopped } from '../stages/stage.ts';
import { checkModel } from './check-model.ts';
import { type ExistingModel, fetchedModel } from './existing-model.ts';

export interface Opening {
  readonly job: Job;
  /** Directory of the pipeline file. */
  readonly root: string;
  readonly message: (text: string) => void;
  readonly stopping: () => boolean;
}

const MILLISECONDS_BETWEEN_MESSAGES = 5000;
const MILLISECONDS_BETWEEN_QUESTIONS = 200;

/**
 * Fetches and checks the model: every tensor is there, of its shape, and an adapter was made for it; no weight is read.
 * Errors: CheckpointError, HubError; Stopped, and what was fetched is kept.
 */
export async function openExisting({ job, root, message, stopping }: Opening): Promise<ExistingModel> {
  const stop = new AbortController();
  const asking = setInterval(() => {
    if (stopping()) stop.abort(new Stopped('stopped while the model was fetched'));
  }, MILLISECONDS_BETWEEN_QUESTIONS);
  try {
    const model = await fetchedModel(job, root, { onProgress: telling(message), signal: stop.signal });
    await checkModel(model);
    if (model.commit !== undefined) message(`revision ${model.commit} of ${model.name}`);
    return model;
  } finally {
    clearInterval(asking);
  }
}

function telling(message: (text: string) => void): (progress: HubProgress) => void {
  let told = Date.now();
  return ({ bytes, totalBytes, filesDone, files }) => {
    if (Date.now() - told < MILLISECONDS_BETWEEN_MESSAGES) return;
    told = Date.now();
    const all = totalBytes === undefined ? '' : ` of ${readableBytes(totalBytes)}`;
    message(`fetched ${readableBytes(bytes)}${all}, ${filesDone} of ${files} files`);
  };
}
