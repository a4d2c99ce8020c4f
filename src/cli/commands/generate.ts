/** `ftc generate`: samples from a model and streams the text. */
import { generate } from '../../runtime/run/generate.ts';
import { type ServedFormat, servedFormats } from '../../runtime/run/served-weights.ts';
import { type RunCommand, UsageError } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { storeOf } from '../plan-file.ts';

const defaults = { temperature: 0.8, topP: 0.95, maxTokens: 200, seed: 0 };

export const run: RunCommand = async (given, output) => {
  const [model, prompt] = given.positionals as [string, string];
  const json = given.has('json');
  const pieces = generate({
    model,
    prompt,
    chat: given.has('chat'),
    temperature: given.number('temperature', { least: 0 }) ?? defaults.temperature,
    topP: given.number('top-p', { least: 0, most: 1 }) ?? defaults.topP,
    maxTokens: given.integer('max-tokens', { least: 1 }) ?? defaults.maxTokens,
    seed: given.integer('seed', { least: 0 }) ?? defaults.seed,
    quant: servedFormat(given.value('quant')),
    store: storeOf(undefined, given.value('store')),
  });
  let text: string | undefined;
  for await (const piece of pieces) {
    // Text goes on where the prompt ends; an answer stands alone.
    if (!json) output.write(text === undefined && !given.has('chat') ? prompt + piece : piece);
    text = (text ?? '') + piece;
  }
  output.write(
    json ? `${JSON.stringify({ format_version: '1.0', prompt, completion: text ?? '' })}\n` : '\n',
  );
  return exitCodes.ok;
};

function servedFormat(text: string | undefined): ServedFormat | undefined {
  const format = servedFormats.find((each) => each === text);
  if (text === undefined || format !== undefined) return format;
  throw new UsageError(
    `\`--quant\` takes ${servedFormats.join(' or ')}, not \`${text}\``,
    text === 'nf4' || text === 'fp4'
      ? `weights in ${text} would be looked up for every token, which is slower than f32; write --quant int4`
      : 'leave it out to compute with the weights as they are',
  );
}
