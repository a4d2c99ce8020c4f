import { type ChatMessage, type RenderOptions, renderChat } from './render-chat.ts';
import { TemplateError } from './template-error.ts';

/** Where an assistant's answer stands in a rendered conversation: offsets in UTF-16 units. */
export interface Answer {
  readonly start: number;
  /** After whatever the template writes behind the answer. */
  readonly end: number;
}

export interface RenderedChat {
  readonly text: string;
  /** One for each assistant turn, in order. */
  readonly answers: readonly Answer[];
}

/** Unicode noncharacters: no text holds them. */
const CONTENT = '\uFDD0';
const OPEN = '\uFDD1';
const CLOSE = '\uFDD2';

/**
 * What stands before the next answer. Where a template ignores `add_generation_prompt`, it is what the template
 * writes before an assistant's content.
 */
export function renderPrompt(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions,
): string {
  const plain = renderChat(template, messages, options);
  const explicit = renderChat(template, messages, { ...options, addGenerationPrompt: true });
  if (explicit !== plain) return explicit;
  const answered = renderChat(template, [...messages, { role: 'assistant', content: CONTENT }], options);
  const at = answered.indexOf(CONTENT);
  if (at < 0) throw new TemplateError('it does not write the content of an assistant message');
  return answered.slice(0, at);
}

/**
 * A conversation with the places of its answers: those that `{% generation %}` marks, else those found by
 * rendering each prefix of the conversation.
 * @throws TemplateError where a prefix is not rendered as the whole conversation begins
 */
export function renderWithAnswers(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions,
): RenderedChat {
  const marked = markGeneration(template);
  if (marked !== undefined) return readMarks(renderChat(marked, messages, options));
  const text = renderChat(template, messages, options);
  return { text, answers: answersIn(template, messages, options, text) };
}

/** The answers of the assistant turns among `messages` in a text that begins with them. */
export function answersIn(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions,
  text: string,
): Answer[] {
  const answers: Answer[] = [];
  messages.forEach(({ role }, i) => {
    if (role !== 'assistant') return;
    const before = renderPrompt(template, messages.slice(0, i), options);
    const after = i + 1 === messages.length ? text : renderChat(template, messages.slice(0, i + 1), options);
    const prefix = [before, after].find((part) => !text.startsWith(part));
    if (prefix !== undefined || after.length < before.length) {
      const which = prefix === before ? `the prompt of message ${i + 1}` : `messages 1 to ${i + 1}`;
      throw new TemplateError(
        `it renders ${which} alone in another way than at the beginning of the whole conversation, so the answer's place is unknown; mark it with {% generation %} … {% endgeneration %}`,
      );
    }
    answers.push({ start: before.length, end: after.length });
  });
  return answers;
}

/** The template with marks written at `{% generation %}` and `{% endgeneration %}`; undefined where it has none. */
function markGeneration(template: string): string | undefined {
  const tag = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g;
  if (!tag.test(template)) return undefined;
  // A block of its own on either side keeps the tag's effect on the white space around it.
  return template.replace(
    tag,
    (_, left: string, end: string | undefined, right: string) =>
      `{%${left} if true %}${end === undefined ? OPEN : CLOSE}{% endif ${right}%}`,
  );
}

function readMarks(marked: string): RenderedChat {
  const answers: Answer[] = [];
  let text = '';
  let start = 0;
  for (const part of marked.split(/([\uFDD1\uFDD2])/)) {
    if (part === OPEN) start = text.length;
    else if (part === CLOSE) answers.push({ start, end: text.length });
    else text += part;
  }
  return { text, answers };
}
