/** What a line of `ftc score` asks about, as tokens. */
import { DataError } from '../data/data-error.ts';
import { promptCompletionOf } from '../data/shapes.ts';
import { type Policy, type Reward, StageError } from '../stages/stage.ts';
import { encodeChat } from '../tokenizers/chat-template.ts';
import { encodeAnswered } from '../tokenizers/encode-answered.ts';
import { lacksTokenizer } from './missing-tokenizer.ts';

export interface ScoreInput {
  readonly ids: Int32Array;
  /** 1 where the token counts in the loss. */
  readonly counted: Uint8Array;
}

/** Where the line stands. */
export interface Place {
  /** For messages: `stdin`. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

const SHAPES = '`{"ids": […]}`, `{"text": …}`, `{"messages": […]}` or `{"prompt": …, "completion": …}`';

/**
 * `ids` as they are; `text` with what the tokenizer puts around a text; `prompt` and `completion`, of which the completion
 * counts; chats through the template, of which the assistant's turns count.
 * @throws DataError, StageError naming the line
 */
export function readScoreInput(text: string, place: Place, model: Policy | Reward): ScoreInput {
  const value = parse(text, place);
  const input = 'ids' in value ? ofIds(value.ids, place, model) : ofText(value, place, model);
  const { context } = model.family.shape(model.config);
  if (input.ids.length === 0) throw refuse(place, 'it has no token');
  if (input.ids.length > context)
    throw new StageError(
      'overlong-row',
      `${place.file}:${place.line}: it has ${input.ids.length} tokens, and the model's context is ${context}`,
      { ...place, help: [`cut it into pieces of at most ${context} tokens`] },
    );
  return input;
}

function parse(text: string, place: Place): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError('not-json', { ...place, text, why: (error as Error).message });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse(place, 'it is no JSON object', `a line is one of ${SHAPES}`);
  return value as Readonly<Record<string, unknown>>;
}

function ofIds(given: unknown, place: Place, { family, config }: Policy): ScoreInput {
  const { vocabularySize } = family.shape(config);
  if (!Array.isArray(given)) throw refuse(place, '`ids` is no list of token ids');
  given.forEach((id, at) => {
    if (!Number.isSafeInteger(id) || id < 0 || id >= vocabularySize)
      throw refuse(
        place,
        `number ${at + 1} of its ids is ${JSON.stringify(id)}, and the model's ids are 0 to ${vocabularySize - 1}`,
      );
  });
  return allOf(Int32Array.from(given as number[]));
}

/** Nothing stands before the first token, so nothing predicts it. */
function allOf(ids: Int32Array): ScoreInput {
  return { ids, counted: new Uint8Array(ids.length).fill(1, 1) };
}

function ofText(value: Readonly<Record<string, unknown>>, place: Place, model: Policy | Reward): ScoreInput {
  const { tokenizer, template } = model;
  if (lacksTokenizer(model))
    throw refuse(
      place,
      'the model has no tokenizer.json, so it takes no text',
      'give token ids: `{"ids": […]}`',
    );
  if (typeof value.text === 'string') return allOf(tokenizer.encodeText(value.text));
  if (!('messages' in value) && !('prompt' in value && 'completion' in value))
    throw refuse(place, `it has ${Object.keys(value).join(', ') || 'nothing'}`, `a line is one of ${SHAPES}`);
  const asked = promptCompletionOf({ value, ...place });
  if (asked.kind === 'chat') {
    const { ids, supervised } = encodeChat(tokenizer, template, asked.messages, {
      from: asked.prompt.length,
    });
    return { ids, counted: supervised };
  }
  const [prompt, completion] = encodeAnswered(tokenizer, asked.prompt, asked.completion);
  if (completion.length === 0) throw refuse(place, 'its completion is empty');
  // A reward is read at the end token, as in training.
  const end = 'score' in model ? [tokenizer.eos] : [];
  const ids = Int32Array.of(...prompt, ...completion, ...end);
  return { ids, counted: new Uint8Array(ids.length).fill(1, Math.max(1, prompt.length)) };
}

function refuse(place: Place, why: string, help?: string): DataError {
  return new DataError('bad-row', { ...place, why, help: help ?? 'mend the line, or leave it out' });
}
