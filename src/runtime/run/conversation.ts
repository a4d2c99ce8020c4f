/** One conversation as a model takes it: what training rendered, and what is compared after an export. */

import { PARITY_TOKENS } from '../stages/parts/logits-program.ts';
import type { Policy } from '../stages/stage.ts';
import { encodePrompt, renderChat, TemplateError } from '../tokenizers/chat-template.ts';
import { encodeOpening } from '../tokenizers/encode-answered.ts';
import type { ChatMessage } from '../tokenizers/render-chat.ts';
import { lacksTokenizer } from './missing-tokenizer.ts';

/** What of a model decides how it is spoken to. */
export type Spoken = Pick<Policy, 'family' | 'config' | 'tokenizer' | 'template'>;

export interface Conversation {
  /** As the chat template renders it; empty where there is no tokenizer. */
  readonly text: string;
  readonly ids: Int32Array;
}

/** Letters of several scripts, numbers, runs of spaces, lines, code, an emoji of several parts: what tokenizers part over. */
const messages: readonly ChatMessage[] = [
  { role: 'user', content: 'What is 3 × 14, and who wrote  “Faust”? 谁写的？' },
  { role: 'assistant', content: 'It’s 42.\n\nGoethe did (1808) — ça va de soi! 👩‍🔬' },
  { role: 'user', content: 'for (let i = 0; i < 10; i++) {\n\treturn i;\n}   Объясни.' },
];

/**
 * The conversation in the words and tokens of this model, with what stands before its next answer. A template that takes
 * no turns of this kind gets the first one alone; a model without one, plain text; one without a tokenizer, ids.
 * Errors: what the tokenizer says.
 */
export function conversationFor(policy: Spoken): Conversation {
  if (lacksTokenizer(policy)) return { text: '', ids: anyIds(policy) };
  for (const turns of [messages, messages.slice(0, 1)]) {
    const rendered = policy.template === '' ? undefined : render(policy, turns);
    if (rendered !== undefined) return rendered;
  }
  const text = messages.map(({ content }) => content).join('\n');
  return { text, ids: encodeOpening(policy.tokenizer, text) };
}

/** Tokens of the conversation, as many as are compared. */
export function comparedIds(model: Spoken): Int32Array {
  const { context } = model.family.shape(model.config);
  return conversationFor(model).ids.slice(0, Math.min(context, PARITY_TOKENS));
}

function render({ tokenizer, template }: Spoken, turns: readonly ChatMessage[]): Conversation | undefined {
  const { bosToken, eosToken } = tokenizer;
  try {
    const text = renderChat(template, turns, { addGenerationPrompt: true, bosToken, eosToken });
    return { text, ids: encodePrompt(tokenizer, template, turns) };
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

/** Spread over the vocabulary. */
function anyIds({ family, config }: Spoken): Int32Array {
  const { vocabularySize } = family.shape(config);
  return Int32Array.from({ length: PARITY_TOKENS }, (_, i) => (i * 7919 + 1) % vocabularySize);
}
