/** Pages of the FTP2nnn that are about names. */
import { page } from './page.ts';

export const namePages = {
  'unknown-stage': page(
    `A step names a stage of the language, a \`stage\` item or a \`pipeline\` of this file, or one of a file that it uses
    (\`shared.stage\`). In a \`data\` item the first step is a source and the others are operators. \`ftc docs\` lists all of
    them.`,
    'pretrain → stf(lora r=8)',
    'pretrain → sft(lora r=8)',
  ),
  'unknown-name': page(
    `A value names data, a model, a template or a \`$value\` that no item declares. Declare it in this file, or in another
    one: \`use "shared.ftp" as shared\` and then \`shared.name\`.`,
    'data notes = text("notes.txt")\npretrain(data=note)',
    'data notes = text("notes.txt")\npretrain(data=notes)',
  ),
  'unknown-param': page(
    `The stage, method, model or source has no parameter of this name. Nothing is silently ignored, so a misspelt key is
    always an error. Behind a word such as \`lora\` the keys belong to the method if it knows them, otherwise to the stage;
    \`;\` closes the method.`,
    'pretrain → sft(lora r=8 target=q,v)',
    'pretrain → sft(lora r=8 targets=q,v)',
  ),
  'unknown-argument': page(
    `A value stands alone between the brackets, and nobody takes it: it is neither a method of the stage nor a parameter
    that may be written without its key.`,
    'pretrain → sft(lroa r=8)',
    'pretrain → sft(lora r=8)',
  ),
  'missing-param': page(
    `A parameter without a default was not given.`,
    'pretrain → export',
    'pretrain → export(to="dist/model")',
  ),
  'duplicate-name': page(
    `Two items of one kind have the same name, so nobody can tell which is meant. Data, models, templates, stages and
    values have names of their own: \`data chat\` and \`template chat\` may stand side by side.`,
    'data notes = text("a.txt")\ndata notes = text("b.txt")\npretrain(data=notes)',
    'data notes = text("a.txt")\ndata more = text("b.txt")\npretrain(data=mix(notes more))',
  ),
  'duplicate-param': page(
    `One call gives the same key twice, or a list the same name. The second one does not win: remove one of them.`,
    'pretrain → sft(lr=1e-4 epochs=2 lr=2e-4)',
    'pretrain → sft(lr=2e-4 epochs=2)',
  ),
  'method-not-hosted': page(
    `Stages that train say which methods they can be trained with. Stages that only measure or write have none.`,
    'pretrain → sft → eval(lora r=8)',
    'pretrain → sft(lora r=8) → eval',
  ),
  'two-methods': page(
    `A stage is trained with one method. To use two, write two stages in a row, each with its own.`,
    'pretrain → sft(freeze layers=2 lora r=8)',
    'pretrain → first: sft(freeze layers=2) → second: sft(lora r=8)',
  ),
  circular: page(
    `A definition leads back to itself: a value that is made from itself, a pipeline that calls itself, a file that uses
    itself over others. The language has no recursion, which is why the whole plan is known before anything runs.`,
    'let a = $b\nlet b = $a\npretrain → sft(lr=$a)',
    'let a = 2e-4\nlet b = $a\npretrain → sft(lr=$b)',
  ),
  'import-not-found': page(
    `\`use\` names a file that is not there. The path is relative to the file that says \`use\`, not to the directory in
    which the command was started.`,
    'use "shared.ftp" as shared\npretrain(data=shared.notes)',
    {
      text: 'use "shared.ftp" as shared\npretrain(data=shared.notes)',
      files: { 'shared.ftp': 'data notes = text("notes.txt")' },
    },
  ),
  'bad-import': page(
    `Files are used by a path relative to this one, so that a project can be moved as a whole; absolute paths and addresses
    are refused. Only \`.ftp\` files can be used; data is named in a source.`,
    'use "/srv/shared.ftp" as shared\npretrain',
    { text: 'use "../shared.ftp" as shared\npretrain', files: { '../shared.ftp': 'let rank = 8' } },
  ),
  'unknown-setting': page(
    `A path of \`--set\` or of a \`profile\` finds nothing to set. It is \`stage.option\` (with the label of the stage, an option
    of the stage or of its method), \`*.option\` for every stage that has it, \`stage.model.option\`, or the name of a
    \`param\`.`,
    'pretrain → sft(lora r=8)\nprofile smoke { *.max_step = 5 }',
    'pretrain → sft(lora r=8)\nprofile smoke { *.max_steps = 5 }',
  ),
  'unknown-choice': page(
    `\`--profile\` or \`-p\` names something that the file does not declare.`,
    { text: 'pretrain → sft\nprofile smoke { *.max_steps = 5 }', profile: 'smok' },
    { text: 'pretrain → sft\nprofile smoke { *.max_steps = 5 }', profile: 'smoke' },
  ),
  'shadows-builtin': page(
    `Stages of the language cannot be declared again, so that \`sft\` means the same in every file. A variant of your own
    needs its own name.`,
    'stage sft = sft(lora r=8)\npretrain → sft',
    'stage doctor = sft(lora r=8)\npretrain → doctor',
  ),
  'misplaced-condition': page(
    `A comparison stands in a stage that takes none. Conditions belong into \`gate\`, behind the stage that makes the
    metric.`,
    'pretrain → quick: eval(perplexity <= 40)',
    'pretrain → quick: eval → gate(quick.perplexity <= 40)',
  ),
  'misplaced-call': page(
    `Something stands at a place that takes another kind of thing: an operator where rows have to come from a source, a
    number where data is named, a label in a chain of data.`,
    'data some = sample(100) → split(test=10%)\npretrain(data=some)',
    'data some = text("notes.txt") → sample(100) → split(test=10%)\npretrain(data=some)',
  ),
};
