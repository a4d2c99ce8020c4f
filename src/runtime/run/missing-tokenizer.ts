/** What stands in for the tokenizer of a directory that has none: token ids go in, and asking for text is an error. */
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import type { Tokenizer } from '../tokenizers/load-tokenizer.ts';
import type { TokenizerFiles } from '../tokenizers/tokenizer-files.ts';

export interface MissingTokenizer {
  readonly tokenizer: Tokenizer;
  readonly tokenizerFiles: TokenizerFiles;
}

/** Every property throws a CheckpointError that names the directory. */
export function missingTokenizer(directory: string): MissingTokenizer {
  const refuse = (): never => {
    throw new CheckpointError(directory, 'has no tokenizer.json: it takes token ids, not text', undefined, [
      'put the tokenizer.json and tokenizer_config.json of the model beside its weights',
    ]);
  };
  return { tokenizer: refusing(refuse), tokenizerFiles: refusing(refuse) };
}

const standIns = new WeakSet<object>();

/** `then` is asked for by whoever awaits the object, and symbols by whoever prints it. */
function refusing<T extends object>(refuse: () => never): T {
  const standIn = new Proxy({} as T, {
    get: (_, key) => (key === 'then' || typeof key === 'symbol' ? undefined : refuse()),
  });
  standIns.add(standIn);
  return standIn;
}

/** Whether a policy can only take token ids. */
export const lacksTokenizer = ({ tokenizer }: Pick<MissingTokenizer, 'tokenizer'>): boolean =>
  standIns.has(tokenizer);
