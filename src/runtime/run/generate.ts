/** Text from a model: a directory, a run, or a stage of a run. */
import type { Executable, LoadOptions } from '../executables/executable.ts';
import { onnx } from '../executables/onnx/onnx.ts';
import { Decoder } from '../generation/decoder.ts';
import { random } from '../random/random.ts';
import { optimize } from '../rewrites/optimize.ts';
import { type Policy, StageError } from '../stages/stage.ts';
import { encodePrompt } from '../tokenizers/chat-template.ts';
import { encodeOpening } from '../tokenizers/encode-answered.ts';
import { streamDecoder } from '../tokenizers/stream-decoder.ts';
import { openModel } from './open-model.ts';
import { type ServedFormat, servedInCodes, weightsAsTheyAre } from './served-weights.ts';

export interface GenerateRequest {
  readonly model: string;
  readonly prompt: string;
  /** Render the prompt as a user's turn with the model's chat template. */
  readonly chat: boolean;
  readonly temperature: number;
  readonly topP: number;
  readonly maxTokens: number;
  readonly seed: number;
  /** The number format of the matrices that are multiplied with; as the model has them where absent. */
  readonly quant?: ServedFormat | undefined;
  /** Directory of the store. */
  readonly store: string;
}

/** Pieces of text as they come; whole characters only. Errors: StageError for a model that is not there or a prompt that does not fit. */
export async function* generate(request: GenerateRequest): AsyncGenerator<string, void> {
  const policy = await openModel(request.model, request.store);
  const { family, config, tokenizer, template, stop } = policy;
  const prompt = request.chat
    ? encodePrompt(tokenizer, template, [{ role: 'user', content: request.prompt }])
    : encodeOpening(tokenizer, request.prompt);
  requireRoom(prompt.length, family.shape(config).context);
  const decoder = servedDecoder(policy, request.quant);
  const text = streamDecoder(tokenizer);
  try {
    const tokens = decoder.stream(prompt, new Map(), {
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

/** Decodes with weights that it holds: `generate` and `stream` want none. */
export function servedDecoder(
  policy: Pick<Policy, 'family' | 'config' | 'weights'>,
  quant?: ServedFormat,
  load: Executable['load'] = onnx.load,
  options: LoadOptions = {},
): Decoder {
  const { frozen, rewrite } = quant === undefined ? weightsAsTheyAre(policy) : servedInCodes(policy, quant);
  // In f32 they are read where they lie: packing them would take as much again for every length that is compiled.
  const memory = quant === undefined ? 'small' : 'fast';
  const settings = { ...options, frozen, memory, roundedRows: true } as const;
  const { family, config } = policy;
  return new Decoder({
    family,
    config,
    load: (program) => load(optimize(rewrite(program)), settings),
    pad: 0,
    // The program of each length holds codes, or maps the file, by itself.
    single: true,
    cacheStep: 256,
  });
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
