/** Which files of a repository make a model: never one that runs code when it is opened (pickles). */

/** What a plan is made from, and what tokenizing needs. */
const CONFIG =
  /^(?:(?:config|generation_config|special_tokens_map|added_tokens|vocab|adapter_config)\.json|merges\.txt|(?:tokenizer|chat_template)[\w.-]*\.(?:json|jinja|model)|additional_chat_templates\/[\w.-]+\.jinja|model\.safetensors\.index\.json|README\.md)$/;

export const WEIGHTS_INDEX = 'model.safetensors.index.json';

/** Weights in one file: a model's, an adapter's. */
export const WHOLE_WEIGHTS = ['model.safetensors', 'adapter_model.safetensors'] as const;

/** Files that models often have: that a commit lacks one is remembered, so that nobody asks again. */
export const OFTEN_THERE = [
  'generation_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'adapter_config.json',
  WEIGHTS_INDEX,
] as const;

export function isConfigFile(file: string): boolean {
  return CONFIG.test(file);
}
