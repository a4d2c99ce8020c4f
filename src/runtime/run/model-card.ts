/** README.md of an export, written from the run: what the model was made of, and how to load it. Plain facts. */
import { basename } from 'node:path';
import { plural } from '../../compiler/diagnostics/words/words.ts';
import type { ExportForm, Policy, Reward } from '../stages/stage.ts';
import type { Lineage, LineageStage } from './lineage.ts';
import { lacksTokenizer } from './missing-tokenizer.ts';

export interface CardFacts extends Lineage {
  readonly form: ExportForm;
  readonly model: Policy | Reward;
  /** Number format of the weights. */
  readonly numbers: string;
  /** What was quantized, and how the files compare with the model in the run. */
  readonly notes: readonly string[];
}

/** @see https://huggingface.co/docs/hub/model-cards, "Model card metadata" */
export function modelCard(facts: CardFacts): string {
  const { form, stages, notes } = facts;
  const parts = [
    frontMatter(facts),
    `# ${basename(form.to)}`,
    introduction(facts),
    ...(stages.length > 0 ? ['## How it was made', ...stages.map(stageText)] : []),
    '## Files',
    [`- numbers: ${facts.numbers}`, ...notes.map((note) => `- ${note}`)].join('\n'),
    '## Use',
    usage(facts),
  ];
  return `${parts.join('\n\n')}\n`;
}

function frontMatter({ form, stages, base }: CardFacts): string {
  const kinds = [...new Set(stages.map(({ kind }) => kind))].filter(
    (kind) => kind !== 'open' && kind !== 'eval',
  );
  const adapter = form.as === 'adapter';
  const lines = [
    ...(base?.commit === undefined ? [] : [`base_model: ${base.name}`]),
    ...(base?.commit === undefined
      ? []
      : [`base_model_relation: ${adapter ? 'adapter' : form.quantized ? 'quantized' : 'finetune'}`]),
    ...(form.license === undefined ? [] : [`license: ${quoted(form.license)}`]),
    ...(form.language === undefined ? [] : ['language:', `- ${quoted(form.language)}`]),
    `library_name: ${adapter ? 'peft' : form.format === 'hf' ? 'transformers' : form.format}`,
    `pipeline_tag: ${form.what === 'reward' ? 'text-classification' : 'text-generation'}`,
    'tags:',
    '- ftc',
    ...kinds.map((kind) => `- ${kind}`),
  ];
  return ['---', ...lines, '---'].join('\n');
}

/** YAML takes JSON's strings; plain words need no quotes. */
const quoted = (text: string): string => (/^[A-Za-z][\w.-]*$/.test(text) ? text : JSON.stringify(text));

function introduction({ form, model, base }: CardFacts): string {
  const { family, config } = model;
  const { blocks, width, context, vocabularySize } = family.shape(config);
  const count = family.parameters(config).reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
  const what =
    form.what === 'reward' ? 'reward model' : form.as === 'adapter' ? 'adapter of a model' : 'model';
  const from =
    base === undefined ? '' : ` It started from \`${base.name}\`${base.commit ? ` at ${base.commit}` : ''}.`;
  return `A ${String(config.model_type)} ${what}: ${count.toLocaleString('en')} parameters in ${plural(blocks, 'block')} of width ${width}, a context of ${context} tokens, a vocabulary of ${vocabularySize.toLocaleString('en')}.${from}`;
}

function stageText({ id, kind, method, model, options, data, metrics }: LineageStage): string {
  const measured = Object.entries(metrics).map(([name, value]) => `${name} ${Number(value.toPrecision(5))}`);
  const lines = [
    ...(model === undefined ? [] : [`- model: \`${model}\``]),
    ...(method === undefined ? [] : [`- method: \`${method}\``]),
    ...data.map(
      ({ option, text, sha256, train, test }) =>
        `- ${option}: \`${text}\`, ${plural(train, 'row')} to train, ${test} held out, sha256 ${sha256}`,
    ),
    ...(options === '' ? [] : [`- options: \`${options}\``]),
    ...(measured.length === 0 ? [] : [`- metrics: ${measured.join(', ')}`]),
  ];
  return [`### ${id === kind ? id : `${id} (${kind})`}`, '', ...lines].join('\n');
}

function usage({ form, model, base }: CardFacts): string {
  const place = JSON.stringify(basename(form.to));
  if (form.format === 'onnx')
    return "Load `model.onnx` with onnxruntime. Inputs: `input_ids`, `attention_mask`, `position_ids` (int64), `past_key_values.N.key` and `.value` (float32, of length 0 at first). Outputs: `logits`, and `present.N.key` and `.value`, which are the next step's past.";
  if (form.format === 'gguf')
    return 'Load the file with llama.cpp, or with a program that is built on it; it holds the vocabulary, the chat template and the tokens that end an answer.';
  const load = form.what === 'reward' ? 'AutoModelForSequenceClassification' : 'AutoModelForCausalLM';
  const code = [
    `from transformers import ${load}${lacksTokenizer(model) ? '' : ', AutoTokenizer'}`,
    ...(form.as === 'adapter' ? ['from peft import PeftModel'] : []),
    '',
    ...(lacksTokenizer(model) ? [] : [`tokenizer = AutoTokenizer.from_pretrained(${place})`]),
    ...(form.as === 'adapter'
      ? [
          `base = ${load}.from_pretrained(${JSON.stringify(base?.name ?? 'BASE')}${form.what === 'reward' ? ', num_labels=1' : ''})`,
          `model = PeftModel.from_pretrained(base, ${place})`,
        ]
      : [`model = ${load}.from_pretrained(${place})`]),
    ...(model.template === '' || lacksTokenizer(model)
      ? []
      : [
          'chat = [{"role": "user", "content": "…"}]',
          `ids = tokenizer.apply_chat_template(chat, ${form.what === 'reward' ? '' : 'add_generation_prompt=True, '}return_tensors="pt", return_dict=True)`,
          form.what === 'reward' ? 'reward = model(**ids).logits[0, 0]' : 'answer = model.generate(**ids)',
        ]),
  ];
  return ['```python', ...code, '```'].join('\n');
}
