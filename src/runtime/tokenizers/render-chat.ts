import { BoundedInterpreter } from './bounded-interpreter.ts';
import { Environment, parse, type Statement, tokenize } from './jinja.ts';
import { strftime } from './strftime.ts';
import { TemplateError } from './template-error.ts';
import { withinTime } from './within-time.ts';

/** A turn of a conversation. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface RenderOptions {
  /** Ends with what stands before an answer, where the template knows `add_generation_prompt`. */
  readonly addGenerationPrompt?: boolean;
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** All tokens with a role that the tokenizer has, in place of the two: `pad_token`, `unk_token`, … */
  readonly roles?: Readonly<Record<string, string>>;
}

/** What `strftime_now` tells: always the same day, so that the same pipeline gives the same tokens on any day. */
const today = new Date(Date.UTC(2024, 6, 26));

/** Published templates have up to 20,000 characters. */
const MAX_TEMPLATE_UNITS = 2 ** 18;
const COMPILE_MS = 3000;
const MAX_RANGE = 100_000;

/**
 * Renders a conversation as Hugging Face tools do: jinja with trim_blocks and lstrip_blocks, `messages`, no tools and
 * documents, `add_generation_prompt`, tokens with a role, `raise_exception`, and `strftime_now` on a fixed day.
 * @throws TemplateError with what jinja or the template's own `raise_exception` says, or where it would not end soon
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  { addGenerationPrompt = false, bosToken = '', eosToken = '', roles }: RenderOptions = {},
): string {
  try {
    const scope = new Environment(globals);
    const given = roles ?? { bos_token: bosToken, eos_token: eosToken };
    for (const [name, text] of Object.entries(given)) scope.set(name, text);
    scope.set('messages', messages);
    scope.set('tools', null);
    scope.set('documents', null);
    scope.set('add_generation_prompt', addGenerationPrompt);
    const text = messages.reduce((n, { content }) => n + (content?.length ?? 0), 0);
    return String(new BoundedInterpreter(scope, text).run(compiled(template)).value);
  } catch (error) {
    throw new TemplateError(
      error instanceof RangeError ? 'it is nested too deeply, or makes too much' : (error as Error).message,
    );
  }
}

/** What templates may use besides the conversation. */
const globals = new Environment();
for (const [name, value] of Object.entries({
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range(start: number, stop?: number, step = 1): number[] {
    const [first, end] = stop === undefined ? [0, start] : [start, stop];
    const length = Math.max(0, Math.ceil((end - first) / step));
    if (!(length <= MAX_RANGE)) throw new Error(`range() of more than ${MAX_RANGE} numbers`);
    return Array.from({ length }, (_, i) => first + i * step);
  },
  raise_exception(message: string): never {
    throw new Error(message);
  },
  strftime_now: (format: string) => strftime(today, format),
})) {
  globals.set(name, value);
}

const cache = new Map<string, Statement>();

function compiled(template: string): Statement {
  let made = cache.get(template);
  if (made === undefined) {
    if (template.length > MAX_TEMPLATE_UNITS)
      throw new Error(`it is longer than ${MAX_TEMPLATE_UNITS} characters`);
    made = withinTime(COMPILE_MS, () =>
      parse(tokenize(template, { trim_blocks: true, lstrip_blocks: true })),
    );
    if (cache.size >= 16) cache.clear();
    cache.set(template, made);
  }
  return made;
}
