/** Which chat template a stage uses. */

import type { Policy } from '../stages/stage.ts';
import { defaultTemplate, stopTokensOf } from '../tokenizers/chat-template.ts';

/**
 * The template that the pipeline names, else the policy's own, else the built-in one. What the stage makes carries it along.
 * Markers of a template that the tokenizer does not know as tokens of their own are ordinary text to the model.
 */
export function withTemplate(policy: Policy, named: string | undefined): Policy {
  const template = named ?? (policy.template === '' ? defaultTemplate : policy.template);
  if (template === policy.template) return policy;
  const { tokenizer, tokenizerFiles, stop } = policy;
  return {
    ...policy,
    template,
    stop: [...new Set([...stopTokensOf(tokenizer, template), ...stop])],
    tokenizerFiles: {
      ...tokenizerFiles,
      config: { ...tokenizerFiles.config, chat_template: template },
    },
  };
}
