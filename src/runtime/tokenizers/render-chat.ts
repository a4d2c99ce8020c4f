import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { strftime } from './strftime.ts';
import { TemplateError } from './template-error.ts';

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
}

/** What `strftime_now` tells: always the same day, so that the same pipeline gives the same tokens on any day. */
const today = new Date(Date.UTC(2024, 6, 26));

/**
 * Renders a conversation as Hugging Face tools do: jinja with trim_blocks and lstrip_blocks, `messages`,
 * `add_generation_prompt`, `bos_token`, `eos_token`, `raise_exception`, and `strftime_now` on a fixed day.
 * @throws TemplateError with what jinja or the template's own `raise_exception` says
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  { addGenerationPrompt = false, bosToken = '', eosToken = '' }: RenderOptions = {},
): string {
  try {
    const scope = new Environment(globals);
    scope.set('messages', messages);
    scope.set('add_generation_prompt', addGenerationPrompt);
    scope.set('bos_token', bosToken);
    scope.set('eos_token', eosToken);
    return String(new Interpreter(scope).run(compiled(template)).value);
  } catch (error) {
    throw new TemplateError((error as Error).message);
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
    return Array.from({ length: Math.max(0, Math.ceil((end - first) / step)) }, (_, i) => first + i * step);
  },
  raise_exception(message: string): never {
    throw new Error(message);
  },
  strftime_now: (format: string) => strftime(today, format),
})) {
  globals.set(name, value);
}

type Compiled = ReturnType<typeof parse>;
const cache = new Map<string, Compiled>();

function compiled(template: string): Compiled {
  let made = cache.get(template);
  if (made === undefined) {
    made = parse(tokenize(template, { trim_blocks: true, lstrip_blocks: true }));
    if (cache.size >= 16) cache.clear();
    cache.set(template, made);
  }
  return made;
}
