/** Chat templates: how turns become text, and which of its tokens are learned. */
import type { TokenizerConfig } from './tokenizer-files.ts';

export { encodeChat, encodePrompt, endOfTurn, namesOf, stopTokensOf } from './encode-chat.ts';
export { renderChat } from './render-chat.ts';
export { specialTokensOf } from './special-tokens-of.ts';
export { TemplateError } from './template-error.ts';

/** The template of a pipeline that declares none: one marker before each turn, one after it. */
export const defaultTemplate =
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}' +
  '{% if add_generation_prompt %}<|assistant|>{% endif %}';

/** The template of a tokenizer_config.json: the only one, or the one named `default`. */
export function chatTemplateOf({ chat_template: given }: TokenizerConfig): string | undefined {
  if (!Array.isArray(given)) return typeof given === 'string' ? given : undefined;
  const named = given as readonly { readonly name?: unknown; readonly template?: unknown }[];
  const chosen =
    named.find((entry) => entry?.name === 'default') ?? (named.length === 1 ? named[0] : undefined);
  return typeof chosen?.template === 'string' ? chosen.template : undefined;
}
