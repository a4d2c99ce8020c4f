/** README.md of an export, written from the run: what the model was made of, and how to load it. Plain facts. */
import { basename } from 'node:path';
import { plural } from '../../compiler/diagnostics/words/words.ts';
import type { QuantizationOptions } from '../quantization/quantized-tensor.ts';
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
  /** How the base was read that an adapter was trained beside, where that was in codes. */
  readonly baseCodes?: QuantizationOptions;
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
    ...(facts.baseCodes === undefined ? [] : [besideCodes(facts, facts.baseCodes)]),
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

/** What transformers quantizes with bitsandbytes: blocks of 64 over weights that lie (out, in). */
const asBitsandbytes = (
  { model: { family, config } }: CardFacts,
  { format, block = 64 }: QuantizationOptions,
) =>
  (format === 'nf4' || format === 'fp4') &&
  block === 64 &&
  family.linears(config).every(({ layout }) => layout === 'out,in');

function besideCodes(facts: CardFacts, codes: QuantizationOptions): string {
  const { format, block = 64, doubleQuantization = false } = codes;
  const what = `${format} (blocks of ${block}${doubleQuantization ? ', their scales in eight bits' : ''})`;
  return `The adapter was trained beside its base in ${what}; beside the base as it is the model is a little off. ${
    asBitsandbytes(facts, codes)
      ? 'So load the base in the same codes.'
      : 'transformers does not make these codes: an export with `as=merged` holds what was trained.'
  }`;
}

function usage(facts: CardFacts): string {
  const { form, model, base, baseCodes } = facts;
  const place = JSON.stringify(basename(form.to));
  if (form.format === 'onnx')
    return "Load `model.onnx` with onnxruntime. Inputs: `input_ids`, `attention_mask`, `position_ids` (int64), `past_key_values.N.key` and `.value` (float32, of length 0 at first). Outputs: `logits`, and `present.N.key` and `.value`, which are the next step's past.";
  if (form.format === 'gguf')
    return 'Load the file with llama.cpp, or with a program that is built on it; it holds the vocabulary, the chat template and the tokens that end an answer.';
  const load = form.what === 'reward' ? 'AutoModelForSequenceClassification' : 'AutoModelForCausalLM';
  const codes = baseCodes !== undefined && asBitsandbytes(facts, baseCodes) ? baseCodes : undefined;
  const names = [
    load,
    ...(lacksTokenizer(model) ? [] : ['AutoTokenizer']),
    ...(codes ? ['BitsAndBytesConfig'] : []),
  ];
  const more = [
    ...(form.what === 'reward' ? ['num_labels=1'] : []),
    ...(codes ? ['quantization_config=codes'] : []),
  ];
  const code = [
    `from transformers import ${names.join(', ')}`,
    ...(form.as === 'adapter' ? ['from peft import PeftModel'] : []),
    '',
    ...(lacksTokenizer(model) ? [] : [`tokenizer = AutoTokenizer.from_pretrained(${place})`]),
    ...(form.as === 'adapter'
      ? [
          ...(codes
            ? [
                `codes = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="${codes.format}", bnb_4bit_use_double_quant=${codes.doubleQuantization ? 'True' : 'False'})`,
              ]
            : []),
          `base = ${load}.from_pretrained(${[JSON.stringify(base?.name ?? 'BASE'), ...more].join(', ')})`,
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
