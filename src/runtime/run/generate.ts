/** Text from a model: a directory, a run, or a stage of a run. */
import { onnx } from '../executables/onnx/onnx.ts';
import { Decoder } from '../generation/decoder.ts';
import { random } from '../random/random.ts';
import { StageError } from '../stages/stage.ts';
import { encodePrompt } from '../tokenizers/chat-template.ts';
import { encodeOpening } from '../tokenizers/encode-answered.ts';
import { streamDecoder } from '../tokenizers/stream-decoder.ts';
import { openModel } from './open-model.ts';

export interface GenerateRequest {
  readonly model: string;
  readonly prompt: string;
  /** Render the prompt as a user's turn with the model's chat template. */
  readonly chat: boolean;
  readonly temperature: number;
  readonly topP: number;
  readonly maxTokens: number;
  readonly seed: number;
  /** Directory of the store. */
  readonly store: string;
}

/** Pieces of text as they come; whole characters only. Errors: StageError for a model that is not there or a prompt that does not fit. */
export async function* generate(request: GenerateRequest): AsyncGenerator<string, void> {
  const { family, config, weights, tokenizer, template, stop } = await openModel(
    request.model,
    request.store,
  );
  const prompt = request.chat
    ? encodePrompt(tokenizer, template, [{ role: 'user', content: request.prompt }])
    : encodeOpening(tokenizer, request.prompt);
  requireRoom(prompt.length, family.shape(config).context);
  const decoder = new Decoder({ family, config, load: (program) => onnx.load(program), pad: tokenizer.pad });
  const text = streamDecoder(tokenizer);
  try {
    const tokens = decoder.stream(prompt, weights, {
      temperature: request.temperature,
      topP: request.topP,
      maxNewTokens: request.maxTokens,
      stop,
      random: random(request.seed, 'generate'),
    });
    for await (const token of tokens) if (!stop.includes(token)) yield text.push(token);
    yield text.end();
  } finally {
    await decoder.dispose();
  }
}

function requireRoom(tokens: number, context: number): void {
  if (tokens === 0)
    throw new StageError('bad-row', 'the prompt is empty: there is nothing to go on from', {
      help: ['give at least one word'],
    });
  if (tokens >= context)
    throw new StageError(
      'overlong-row',
      `the prompt has ${tokens} tokens; the model's context of ${context} has no room for an answer`,
      { help: [`shorten it to less than ${context} tokens`] },
    );
}
