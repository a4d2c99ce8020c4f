import { bool, type Entries, text, u32 } from './metadata.ts';
import type { VocabularyPolicy } from './vocabulary.ts';

/** Ids of the special tokens, whether a text begins and ends with one, and the chat template. llama.cpp stops at eos, eot and eom. */
export function specialTokenEntries({
  tokenizer,
  tokenizerFiles,
  template,
  stop,
}: VocabularyPolicy): Entries {
  const { bos, eos, pad } = tokenizer;
  const [turn, message] = stop.filter((id) => id !== eos);
  const id = (name: string, value: number | undefined): Entries =>
    value === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, u32(value)]];
  const [before, after] = addedAround(tokenizerFiles);
  return [
    ...id('bos', bos),
    ...id('eos', eos),
    ...id('eot', turn),
    ...id('eom', message),
    ...id('padding', pad),
    ['tokenizer.ggml.add_bos_token', bool(before && bos !== undefined)],
    ['tokenizer.ggml.add_eos_token', bool(after)],
    ...(template === '' ? [] : ([['tokenizer.chat_template', text(template)]] satisfies Entries)),
  ];
}

/**
 * Whether bos stands before a text and eos after it: as the post-processor puts them in training, whatever
 * `add_bos_token` of tokenizer_config.json says, which transformers does not read beside a tokenizer.json.
 */
function addedAround({ json }: VocabularyPolicy['tokenizerFiles']): [boolean, boolean] {
  const parts = templateOf(json.post_processor);
  const isSpecial = (part: unknown) => typeof part === 'object' && part !== null && 'SpecialToken' in part;
  return [isSpecial(parts[0]), isSpecial(parts.at(-1))];
}

interface PostProcessor {
  readonly type?: string;
  readonly single?: readonly unknown[];
  readonly processors?: readonly unknown[];
}

function templateOf(processor: unknown): readonly unknown[] {
  const { type, single, processors } = (processor ?? {}) as PostProcessor;
  if (type === 'TemplateProcessing' && Array.isArray(single)) return single;
  return type === 'Sequence' && Array.isArray(processors)
    ? (processors.map(templateOf).find((parts) => parts.length > 0) ?? [])
    : [];
}
