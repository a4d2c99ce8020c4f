/** Pages of FTP3nnn. */
import { page } from './page.ts';

export const graphPages = {
  'missing-slot': page(
    `Stages hand on what they make: a policy, a tokenizer, a reward model, metrics. This stage reads something that no
    earlier stage makes; the message says which stages make it. The order matters: \`rm\` has to stand before \`ppo\`.`,
    'pretrain → sft(lora r=8) → ppo',
    'pretrain → sft(lora r=8) → rm → ppo',
  ),
  'duplicate-label': page(
    `Every stage of a pipeline has a name of its own: its label, or the name of the stage where it has none. The name stands
    in the plan, in \`--set\` and in conditions. A pipeline that is called twice needs labels as well.`,
    'pretrain → sft(freeze) → sft(lora)',
    'pretrain → first: sft(freeze) → second: sft(lora)',
  ),
  'unknown-metric': page(
    `The condition asks for a metric that its stage does not make. \`ftc docs NAME\` lists the metrics of a stage.`,
    'pretrain → quick: eval → gate(quick.perplexty <= 40)',
    'pretrain → quick: eval → gate(quick.perplexity <= 40)',
  ),
  'ambiguous-metric': page(
    `Several earlier stages make a metric of this name. Say whose is meant: \`label.metric\`.`,
    'pretrain → before: eval → sft → after: eval → gate(perplexity <= 40)',
    'pretrain → before: eval → sft → after: eval → gate(after.perplexity <= 40)',
  ),
  'metric-made-later': page(
    `The condition asks for a metric of a stage that comes only after it. A gate decides on what has been measured before.`,
    'pretrain → gate(quick.perplexity <= 40) → quick: eval',
    'pretrain → quick: eval → gate(quick.perplexity <= 40)',
  ),
  'no-conditions': page(
    `A gate without a condition would let everything through. Write at least one: \`label.metric\`, a comparison, a number.`,
    'pretrain → quick: eval → gate',
    'pretrain → quick: eval → gate(quick.perplexity <= 40)',
  ),
  'no-pipeline': page(
    `The file declares data or values but no pipeline. Other files can use it; to be run it needs a chain of stages.`,
    'data notes = text("notes.txt")',
    'data notes = text("notes.txt")\npretrain(data=notes)',
  ),
  'which-pipeline': page(
    `The file declares several pipelines with names, and the command does not say which one is meant. Add \`-p NAME\`.`,
    'pipeline small = pretrain(tokens=1M)\npipeline large = pretrain(tokens=9M)',
    { text: 'pipeline small = pretrain(tokens=1M)\npipeline large = pretrain(tokens=9M)', pipeline: 'small' },
  ),
  'unknown-label': page(
    `A condition or an option names a stage that does not come before. Stages are named by their label, or by the name of the
    stage where they have none.`,
    'pretrain → quick: eval → gate(quik.perplexity <= 40)',
    'pretrain → quick: eval → gate(quick.perplexity <= 40)',
  ),
};
