import { type ChatMessage, renderChat } from './render-chat.ts';
import { TemplateError } from './template-error.ts';

/** `<|user|>`, `<｜end▁of▁sentence｜>`, `<start_of_turn>`, `</s>` */
const marker = /<\|[^|<>{}\s]+\|>|<｜[^｜<>{}\s]+｜>|<\/?[A-Za-z][A-Za-z0-9_]*>/g;

const turn = (role: string): ChatMessage => ({ role, content: '' });
const conversation = [turn('user'), turn('assistant'), turn('user'), turn('assistant')];

/**
 * The markers that a chat template writes around turns, in the order of a conversation: those in its text, and those
 * that it composes (`<|{{ m.role }}|>` gives `<|system|>`, `<|user|>` and `<|assistant|>`), found by rendering it.
 * They become tokens of their own. `bos_token` and `eos_token` are not among them.
 */
export function specialTokensOf(template: string): string[] {
  const rendered = [[turn('system'), ...conversation], conversation].flatMap((messages) => {
    try {
      return [renderChat(template, messages), renderChat(template, messages, { addGenerationPrompt: true })];
    } catch (error) {
      // Some templates refuse a system turn; one that refuses everything is reported where it is used.
      if (error instanceof TemplateError) return [];
      throw error;
    }
  });
  return [...new Set([...rendered, template].flatMap((text) => text.match(marker) ?? []))];
}
