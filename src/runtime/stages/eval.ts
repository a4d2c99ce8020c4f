/** `eval`: loss and answers on held-out rows. */
import type { RowKind } from '../data/shapes.ts';
import type { Metrics } from '../run/events.ts';
import { estimateEval } from './estimates/eval.ts';
import { emptyAccount, encodeExample, fit, type Overlong } from './parts/examples.ts';
import { measureAnswers } from './parts/measure-answers.ts';
import { measurePreferences } from './parts/measure-preferences.ts';
import { measureExamples, measureText } from './parts/measure-text.ts';
import { MeasuredRows } from './parts/measured-rows.ts';
import { report } from './parts/report.ts';
import { sequencesFor } from './parts/stored-sequences.ts';
import {
  dataOption,
  modelOption,
  overlongOption,
  packingOption,
  seedOption,
  templateOption,
} from './parts/training-options.ts';
import type { Policy, Stage, StageContext } from './stage.ts';

export const evaluation: Stage = {
  entry: {
    name: 'eval',
    summary: 'measures a policy on held-out rows: loss, accuracy of its answers, reward',
    details: `What is measured depends on the rows. Text: \`loss\`, \`perplexity\`, \`token_accuracy\`, and over how many
\`supervised_tokens\`. Prompts with answers: the same
over the answers' tokens, and on greedy answers \`exact\` (equal to the expected answer, white space folded) and \`contains\`
(the expected text, or the row's \`answer\` column, stands in the answer); \`accuracy\` is the one that \`match\` names.
Preferences, where a reward model reaches the stage: \`reward_accuracy\`. Where a reward model exists and answers were made,
\`mean_reward\`. \`samples\` answers are kept for people to read.`,
    example: 'quick: eval(data=jsonl("data/questions.jsonl") split=test match=contains)',
    methods: [],
    reads: [
      { slot: 'policy', required: true },
      { slot: 'reward', required: false },
      { slot: 'tokenizer', required: false },
    ],
    writes: ['metrics'],
    metrics: [
      'loss',
      'perplexity',
      'token_accuracy',
      'supervised_tokens',
      'accuracy',
      'exact',
      'contains',
      'mean_reward',
      'reward_accuracy',
      'rows',
    ],
    data: { option: 'data', rows: 'text, prompt and completion, messages, or preferences' },
    options: {
      ...dataOption('rows to measure on'),
      ...modelOption,
      ...templateOption,
      ...overlongOption,
      packing: {
        ...packingOption.packing!,
        description: `rows of text: ${packingOption.packing!.description}`,
      },
      split: {
        description: 'which side of the data',
        type: 'string',
        enum: ['test', 'train', 'all'],
        default: 'test',
      },
      limit: {
        description: 'rows at most, the first ones; all where not given',
        type: 'integer',
        unit: 'count',
        minimum: 1,
        defaultNote: 'all rows',
      },
      generate: { description: 'answer the prompts (greedy) and compare', type: 'boolean', default: true },
      match: {
        description: 'what `accuracy` means: the expected answer exactly, or contained in the answer',
        type: 'string',
        enum: ['contains', 'exact'],
        default: 'contains',
      },
      max_new_tokens: {
        description: 'longest answer; it ends where the context is full, too',
        type: 'integer',
        unit: 'tokens',
        minimum: 1,
        default: 48,
      },
      samples: {
        description: 'answers kept for people to read',
        type: 'integer',
        unit: 'count',
        minimum: 0,
        default: 5,
      },
      batch: { description: 'rows at once', type: 'integer', unit: 'count', minimum: 1, default: 16 },
      ...seedOption,
    },
  },

  estimate: estimateEval,

  async run(context) {
    const policy = await context.policy();
    const rows = new MeasuredRows(context);
    const measured = await measures[await rows.kind()](context, policy, rows);
    return { metrics: { rows: rows.count, ...measured } };
  },
};

type Measure = (context: StageContext, policy: Policy, rows: MeasuredRows) => Promise<Metrics>;

const measures: { readonly [K in RowKind]: Measure } = {
  text: measureText,
  completion: measureCompletions,
  prompt: (context, policy, rows) => measureAnswers(context, policy, rows, false),
  async preference(context, policy, rows) {
    const { metrics, account } = await measurePreferences(context, policy, rows);
    report(context, String(context.job.options.split), account);
    return metrics;
  },
};

async function measureCompletions(
  context: StageContext,
  policy: Policy,
  rows: MeasuredRows,
): Promise<Metrics> {
  const { overlong, split, generate } = context.job.options;
  const longest = policy.family.shape(policy.config).context;
  const account = emptyAccount();
  const examples = sequencesFor(context, policy.tokenizer);
  for await (const row of rows) {
    const example = fit(encodeExample(row, policy), longest, overlong as Overlong, account);
    if (example) examples.add(example);
  }
  report(context, String(split), account);
  const losses = await measureExamples(context, policy, examples);
  return generate === false ? losses : { ...losses, ...(await measureAnswers(context, policy, rows, true)) };
}
