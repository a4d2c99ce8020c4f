/** Pages of FTP4nnn, FTP5nnn and FTP6nnn: what planning and running find. The examples check; they fail later. */
import { page } from './page.ts';

export const runtimePages = {
  'not-enough-memory': page(
    `The plan computes how much memory a stage needs at its peak, from the programs it would run: weights and the copies that
    the engine packs for products, activations by how long each lives, gradients, optimizer state, the cache of sampling. It
    is more than this machine has, or the device of \`--memory 24GB\`. Every proposal was planned as if it had been written:
    the number beside it is what the stage would need then. \`recompute=blocks\` and a smaller \`batch\` with a larger
    \`accumulate\` train the same model, more slowly; a paged optimizer keeps its state in a file; \`lora\` and \`qlora\` train
    adapters. Exit code 4.`,
    'pretrain(model=llama(layers=80 width=8192 heads=64))',
    'pretrain(model=llama(layers=4 width=256 heads=4))',
  ),
  'not-enough-disk': page(
    `The store holds every artifact once, and checkpoints while a stage runs. There is no room left for them. \`ftc clean\`
    removes what no kept run needs; \`--store DIR\` puts the store elsewhere. Nothing half written is left behind.`,
    'pretrain(model=llama(layers=32 width=4096 heads=32))',
    'pretrain(model=llama(layers=4 width=256 heads=4))',
  ),
  'missing-data-file': page(
    `No file matches the path or the pattern of a source. Paths are relative to the pipeline file that wrote them.`,
    'data notes = text("data/note/*.txt")\npretrain(data=notes)',
    'data notes = text("data/notes/*.txt")\npretrain(data=notes)',
  ),
  'empty-data': page(
    `The files are there but hold no rows: they are empty, or an operator leaves nothing over.`,
    'data rows = jsonl("empty.jsonl")\npretrain → sft(data=rows)',
    'data rows = jsonl("rows.jsonl")\npretrain → sft(data=rows)',
  ),
  'not-json': page(
    `Every line of a jsonl file is one JSON object. The message names the file and the line. Often a line was broken in
    two, or the file is one large JSON array.`,
    'data rows = jsonl("array.json")\npretrain → sft(data=rows)',
    'data rows = jsonl("rows.jsonl")\npretrain → sft(data=rows)',
  ),
  'missing-field': page(
    `The stage needs fields that the row does not have. \`columns(…)\` says which column is which; \`ftc docs STAGE\` says
    what shapes of row a stage takes. Known without being told are the columns of TRL (\`text\`; \`messages\`; \`prompt\` and
    \`completion\`; \`chosen\` and \`rejected\` with \`prompt\` or beginning alike; \`prompt\`, \`completion\` and \`label\`), Alpaca's
    \`instruction\`, \`input\`, \`output\`, ShareGPT's \`conversations\`, and one of question, query, problem, instruction, input, prompt
    with one of response, output, solution, completion, answer. A column \`system\` stands before a chat.`,
    'data rows = csv("consult.csv")\npretrain → sft(data=rows)',
    'data rows = csv("consult.csv") → columns(prompt=问题 completion=回答)\npretrain → sft(data=rows)',
  ),
  'no-supervised-token': page(
    `In \`sft\` only the assistant's tokens carry loss, the end token included. This row has none: its completion is empty, no
    message is the assistant's, or nothing of it is left after truncation. Such a row would only waste time, and most often
    it shows a mistake in the data.`,
    'data rows = jsonl("questions-without-answers.jsonl")\npretrain → sft(data=rows)',
    'data rows = jsonl("questions-and-answers.jsonl")\npretrain → sft(data=rows)',
  ),
  'overlong-row': page(
    `The row has more tokens than the model's context. Nothing is cut silently: make the context larger, or say what is
    to happen with \`overlong=drop\` or \`overlong=truncate\`; the rows concerned are counted.`,
    'pretrain(model=llama(context=64)) → sft',
    'pretrain(model=llama(context=64)) → sft(overlong=drop)',
  ),
  'bad-row': page(
    `A row has the right fields, but a value of the wrong kind: a number where text is expected, messages without roles.
    The message names file and line.`,
    'data rows = jsonl("numbers.jsonl")\npretrain → sft(data=rows)',
    'data rows = jsonl("rows.jsonl")\npretrain → sft(data=rows)',
  ),
  'bad-template': page(
    `The chat template is jinja and is rendered with \`messages\` and \`add_generation_prompt\`. It has a mistake, or it
    asks for something that the row does not have, or it takes more steps than any conversation needs.

    Training learns answers, so it must know where they stand: each begins where the prompt before it ends, rendered alone with
    \`add_generation_prompt\`. A template that renders a prompt in another way once an answer follows is refused; mark the answers in it
    with \`{% generation %}\` and \`{% endgeneration %}\`. \`strftime_now\` tells 26 July 2024 on every day, so that a pipeline gives the same
    tokens again.`,
    `template chat = "{% for m in messages %}{{ m.text.strip() }}{% endfor %}"\npretrain → sft(template=chat)`,
    `template chat = "{% for m in messages %}{{ m.content }}{% endfor %}"\npretrain → sft(template=chat)`,
  ),
  'no-convention-data': page(
    `A stage that names no data reads \`data/<stage>.txt\`, \`.jsonl\` or \`.csv\` beside the pipeline file. There is none of
    them. Put a file there, or name the data.`,
    'pretrain → sft',
    'pretrain(data=text("notes.txt")) → sft(data=jsonl("consult.jsonl"))',
  ),
  'too-few-rows': page(
    `There is less data than one step needs, or one of the two splits is empty. By default one row in twenty goes to the test
    split; \`split(test=20%)\` changes that.`,
    'data rows = jsonl("three-rows.jsonl")\npretrain → sft(data=rows batch=64)',
    'data rows = jsonl("three-rows.jsonl") → split(test=30%)\npretrain → sft(data=rows batch=1)',
  ),
  'unreadable-model': page(
    `The directory that a model is opened from is not there, holds no model, or a file in it is damaged or does not fit the
    others: a tensor is missing, is one too many or has another shape than config.json says. The message names the file and the
    tensor. Weights that are only there as pytorch_model.bin have to be converted to safetensors first.

    \`ftc plan\` needs no more than config.json: where the weights are not there it says what the model would take, and this as a
    warning. \`ftc run\` refuses it.`,
    'sft(model=local("models/bsae"))',
    'sft(model=local("models/base"))',
  ),
  diverged: page(
    `The loss is no longer a finite number, and the stage stops at the first such step. The most common cause is a learning
    rate that is too high; for LoRA 1e-4 to 1e-3 is usual. With other options the stage begins anew: the last good checkpoint
    that is kept goes with the options that it was made with, and leads to the same numbers again.`,
    'pretrain(lr=1)',
    'pretrain(lr=1e-3)',
  ),
  'method-does-not-fit': page(
    `The method does not fit the model that reaches the stage: a rank larger than the matrices, more blocks than there are,
    layers to adapt that the model does not have.`,
    'pretrain(model=llama(width=64 heads=4)) → sft(lora r=512)',
    'pretrain(model=llama(width=64 heads=4)) → sft(lora r=8)',
  ),
  'model-does-not-fit': page(
    `The sizes of a model have to go together: the width is a multiple of the heads, the heads a multiple of the key and
    value heads.`,
    'pretrain(model=llama(width=100 heads=3))',
    'pretrain(model=llama(width=96 heads=3))',
  ),
  'gate-not-met': page(
    `A condition does not hold, so what follows the gate does not run. The values that were measured are printed. This
    is not a crash: the exit code is 3, so that CI can tell.`,
    'pretrain → quick: eval → gate(quick.perplexity <= 1.01)',
    'pretrain → quick: eval → gate(quick.perplexity <= 40)',
  ),
  'no-device': page(
    `The chosen device is not there, or something that it needs is missing. \`ftc devices\` says what this machine offers and
    why something cannot be used. Exit code 6.`,
    'pretrain',
    'pretrain',
  ),
  'engine-died': page(
    `The engine runs in a process of its own. It was killed or crashed; when the system runs out of memory it is killed
    without a word. The run goes on from the last checkpoint with the command in the message.`,
    'pretrain(batch=4096)',
    'pretrain(batch=16)',
  ),
  'not-writable': page(
    `A result cannot be written to its place: a directory that may not be written, or a file where a directory is
    expected.`,
    'pretrain → export(to="/proc/model")',
    'pretrain → export(to="dist/model")',
  ),
  'stage-failed': page(
    `A stage stopped for a reason of its own, which the message gives. Stages that have finished stay in the store, so the next run
    begins with this one.`,
    'pretrain → sft',
    'pretrain → sft',
  ),
  'would-overwrite': page(
    `\`export\` replaces what an earlier export wrote to the same place, and nothing else. Here are files that it did not
    write, or that were changed after it wrote them. Name another directory, move the files, or say \`overwrite=true\`.`,
    'pretrain → export(to="data")',
    'pretrain → export(to="dist/model")',
  ),
  'export-differs': page(
    `After writing, \`export\` opens its files again and compares them with the model in the run: one conversation must give
    the same text and the same tokens, and logits within the tolerance of the number format (\`ftc docs export\` has them). The model in
    the run, its adapters folded in, is first compared with what it answered when its training ended. They part, so the files are
    removed; the message says where. Formats of few bits move the logits of some models more than others: a finer one
    (\`quant=q8_0\`, \`dtype=f32\`) stays closer.`,
    'pretrain → export(to="dist/model")',
    'pretrain → export(to="dist/model")',
  ),
};
