/** Rows → token sequences with a mask of what is learned, and the account of rows that do not fit. */
import type { Row } from '../../data/row.ts';
import { type Prompt, type PromptCompletion, promptCompletionOf } from '../../data/shapes.ts';
import type { Metrics } from '../../run/events.ts';
import { encodeChat, encodePrompt } from '../../tokenizers/chat-template.ts';
import { encodeAnswered, encodeOpening } from '../../tokenizers/encode-answered.ts';
import type { Tokenizer } from '../../tokenizers/load-tokenizer.ts';
import { StageError } from '../stage.ts';
import { OverlongRows } from './overlong-rows.ts';

export interface Example {
  readonly ids: Int32Array;
  /** 1 where the token is a target. */
  readonly supervised: Uint8Array;
  readonly row: Row;
}

interface Renderer {
  readonly tokenizer: Tokenizer;
  readonly template: string;
}

/**
 * Prompt and completion as one sequence. Strings are joined as they are, with the end token after the completion;
 * message lists go through the chat template, and every assistant turn is learned, its end token included.
 */
export function encodeExample(row: Row, { tokenizer, template }: Renderer): Example {
  const example = promptCompletionOf(row);
  if (example.kind === 'chat') {
    const { ids, supervised } = encodeChat(tokenizer, template, example.messages);
    return { ids, supervised, row };
  }
  const [prompt, completion] = encodeAnswered(tokenizer, example.prompt, example.completion);
  const ids = new Int32Array(prompt.length + completion.length + 1);
  ids.set(prompt);
  ids.set(completion, prompt.length);
  ids[ids.length - 1] = tokenizer.eos;
  const supervised = new Uint8Array(ids.length).fill(1, prompt.length);
  return { ids, supervised, row };
}

/** The tokens that stand before an answer. */
export function encodeQuestion(example: Prompt, { tokenizer, template }: Renderer): Int32Array {
  return example.kind === 'chat'
    ? encodePrompt(tokenizer, template, example.prompt)
    : encodeOpening(tokenizer, example.prompt);
}

/** What the answer is compared with: the row's `answer` column, else the last assistant turn or the completion. */
export function answerOf(row: Row, example: PromptCompletion): string {
  if (typeof row.value.answer === 'string') return row.value.answer;
  return example.kind === 'chat' ? example.messages.at(-1)!.content : example.completion;
}

export type Overlong = 'error' | 'drop' | 'truncate';

/** What became of the rows of a stage. */
export interface Account {
  rows: number;
  dropped: number;
  truncated: number;
  tokens: number;
  supervisedTokens: number;
  /** With `overlong=error`; `report` refuses them. */
  readonly overlong: OverlongRows;
}

export const emptyAccount = (): Account => ({
  rows: 0,
  dropped: 0,
  truncated: 0,
  tokens: 0,
  supervisedTokens: 0,
  overlong: new OverlongRows(),
});

/**
 * Fits an example into the context, counting what that costs; undefined where it is dropped, or where `overlong` is
 * `error`: then the account has it. Errors: StageError `no-supervised-token` where nothing would be learned.
 */
export function fit(
  example: Example,
  context: number,
  overlong: Overlong,
  account: Account,
): Example | undefined {
  const place = { file: example.row.file, line: example.row.line };
  account.rows++;
  let fitted = example;
  if (example.ids.length > context) {
    if (overlong === 'error') {
      const tokens = example.ids.length;
      account.overlong.add(example.row, tokens, {
        message: `the row has ${tokens} tokens, the context holds ${context}`,
        option: 'overlong',
        help: [
          'leave such rows out with `overlong=drop`, cut them with `overlong=truncate`, or train a model with a larger context',
        ],
      });
      return undefined;
    }
    if (overlong === 'drop') {
      account.dropped++;
      return undefined;
    }
    account.truncated++;
    fitted = {
      ids: example.ids.slice(0, context),
      supervised: example.supervised.slice(0, context),
      row: example.row,
    };
  }
  const learned = fitted.supervised.reduce((n, bit, i) => n + (i > 0 ? bit : 0), 0);
  if (learned === 0) {
    const cut = fitted !== example;
    throw new StageError(
      'no-supervised-token',
      cut ? 'cut to the context, the row has no token left to learn' : 'the row has no token to learn',
      {
        ...place,
        option: 'data',
        help: [
          cut
            ? 'drop such rows with `overlong=drop`, or shorten the prompt'
            : 'give the row a non-empty completion or an assistant message',
        ],
      },
    );
  }
  account.tokens += fitted.ids.length;
  account.supervisedTokens += learned;
  return fitted;
}

/** Weighted sums of a language model's program as metrics. */
export function lossMetrics(sums: ReadonlyMap<string, number>): Metrics {
  const loss = sums.get('loss')!;
  return { loss, perplexity: Math.exp(loss), token_accuracy: shareOf(sums.get('correct')!) };
}

/** A sum of weights of 1 / n in single precision: all of them may come to a little more than 1. */
export const shareOf = (sum: number): number => Math.min(1, sum);

/** Every row was left out. */
export const noRowsLeft = (): StageError =>
  new StageError('too-few-rows', 'every row is longer than the context and was left out', {
    option: 'overlong',
    help: ['cut them with `overlong=truncate`, or use a model with a larger context'],
  });
