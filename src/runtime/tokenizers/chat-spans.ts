import { type ChatMessage, type RenderOptions, renderChat } from './render-chat.ts';
import { TemplateError } from './template-error.ts';

/** Where an assistant's answer stands in a rendered conversation: offsets in UTF-16 units. */
export interface Answer {
  readonly start: number;
  /** After whatever the template writes behind the answer, or after the answer where that cannot be told. */
  readonly end: number;
}

export interface RenderedChat {
  readonly text: string;
  /** One for each assistant turn, in order. */
  readonly answers: readonly Answer[];
  /** By the template itself: what is learned is what it says. */
  readonly marked: boolean;
}

/** Unicode noncharacters: no text holds them. */
const CONTENT = '\uFDD0';
const OPEN = '\uFDD1';
const CLOSE = '\uFDD2';

/**
 * What stands before the next answer. Where a template ignores `add_generation_prompt`, it is what the template
 * writes before an assistant's content; white space alone belongs to the answer, since no server sends it.
 */
export function renderPrompt(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions,
): string {
  const plain = renderChat(template, messages, options);
  const explicit = renderChat(template, messages, { ...options, addGenerationPrompt: true });
  if (explicit !== plain) return explicit;
  const answered = renderAnswered(template, messages, options);
  if (answered === undefined) return plain;
  const at = answered.indexOf(CONTENT);
  if (at < 0) throw new TemplateError('it does not write the content of an assistant message');
  const opening = answered.startsWith(plain) ? answered.slice(plain.length, at) : '';
  return opening.trim() === '' ? plain : plain + opening;
}

/** With an answer; undefined where it ends with one already and the template takes no other. */
function renderAnswered(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions,
): string | undefined {
  try {
    return renderChat(template, [...messages, { role: 'assistant', content: CONTENT }], options);
  } catch (error) {
    if (error instanceof TemplateError && messages.at(-1)?.role === 'assistant') return undefined;
    throw error;
  }
}

/**
 * A conversation with the places of its answers: those that `{% generation %}` marks, else those found by
 * rendering each prefix of the conversation.
 * @throws TemplateError where the places are unknown
 */
export function renderWithAnswers(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions,
): RenderedChat {
  const marked = markGeneration(template);
  if (marked !== undefined) return { ...readMarks(renderChat(marked, messages, options)), marked: true };
  const text = renderChat(template, messages, options);
  return { text, answers: answersIn(template, messages, options, text), marked: false };
}

/** The answers of the assistant turns among `messages` in a text that begins with them. */
export function answersIn(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions,
  text: string,
): Answer[] {
  const alone = { ...options, addGenerationPrompt: false };
  return messages.flatMap(({ role }, i) => {
    if (role !== 'assistant') return [];
    const before = renderPrompt(template, messages.slice(0, i), alone);
    const after = i + 1 === messages.length ? text : renderChat(template, messages.slice(0, i + 1), alone);
    const found = {
      start: text.startsWith(before) ? before.length : undefined,
      end: text.startsWith(after) ? after.length : undefined,
    };
    // An opening that no prompt ends with, and turns that are written otherwise once others follow: by their content.
    const content = () => contentIn(template, messages, i, options, text);
    const start = found.start ?? (i === 0 ? content()?.start : undefined);
    const end = found.end ?? content()?.end;
    if (start !== undefined && end !== undefined && start <= end) return [{ start, end }];
    const which = start === undefined ? `the prompt of message ${i + 1}` : `messages 1 to ${i + 1}`;
    throw new TemplateError(
      `it renders ${which} alone in another way than at the beginning of the whole conversation, so the answer's place is unknown; mark it with {% generation %} … {% endgeneration %}`,
    );
  });
}

/** Where the content of message `i` stands: it is written between the same texts as any other content. */
function contentIn(
  template: string,
  messages: readonly ChatMessage[],
  i: number,
  options: RenderOptions,
  text: string,
): Answer | undefined {
  const other = messages.map((message, at) => (at === i ? { ...message, content: CONTENT } : message));
  const [before, after, more] = renderChat(template, other, options).split(CONTENT);
  if (after === undefined || more !== undefined) return undefined;
  const found = { start: before!.length, end: text.length - after.length };
  return text.startsWith(before!) && text.endsWith(after) && found.start <= found.end ? found : undefined;
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

function readMarks(marked: string): Omit<RenderedChat, 'marked'> {
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
