/** Words of the problems that planning and running find (FTP4nnn to FTP6nnn). The runtime fills in the data. */
import { nearest } from '../nearest.ts';
import { at, type DataPlace, unitOf } from './data-place.ts';
import { excerpt, listed, plural, readableBytes, type Words } from './words.ts';

export const runtimeWords = {
  'not-enough-memory': (data: {
    readonly stage: string;
    readonly neededBytes: number;
    readonly availableBytes: number;
    /** Where most of it goes. */
    readonly largest?: readonly { readonly name: string; readonly bytes: number }[];
    /** What else could be written, and what it would need. */
    readonly fixes?: readonly { readonly change: string; readonly bytes: number; readonly fits: boolean }[];
  }): Words => ({
    message: `\`${data.stage}\` needs about ${readableBytes(data.neededBytes)} of memory, and ${readableBytes(data.availableBytes)} are there`,
    label: 'does not fit',
    notes:
      data.largest === undefined || data.largest.length === 0
        ? []
        : [
            `most of it: ${data.largest.map(({ name, bytes }) => `${name} ${readableBytes(bytes)}`).join(', ')}`,
          ],
    help:
      data.fixes === undefined || data.fixes.length === 0
        ? ['make the batch, the context or the model smaller']
        : data.fixes.map(
            ({ change, bytes, fits }) =>
              `with \`${change}\` it needs ${readableBytes(bytes)}${fits ? ' and fits' : ', which is still too much'}`,
          ),
  }),
  'not-enough-disk': (data: {
    readonly path: string;
    readonly neededBytes?: number;
    readonly availableBytes?: number;
  }): Words => ({
    message:
      data.neededBytes === undefined
        ? `no room is left on the disk of \`${data.path}\``
        : `\`${data.path}\` needs about ${readableBytes(data.neededBytes)}, and ${readableBytes(data.availableBytes ?? 0)} are free`,
    label: 'no room to save its result',
    help: ['make room (`ftc clean` removes what no kept run needs) or choose another place with `--store`'],
  }),
  'missing-data-file': (data: {
    readonly path: string;
    readonly near?: readonly string[];
    /** Patterns of the files inside, where the path is a directory. */
    readonly inside?: readonly string[];
    /** Endings that the source looks for in a directory. */
    readonly endings?: readonly string[];
  }): Words => {
    if (data.inside !== undefined) {
      const wanted = (data.endings ?? []).map((ending) => `.${ending}`).join(' or ');
      return {
        message: `\`${data.path}\` is a directory without a ${wanted} file in it`,
        label: 'a directory',
        help: [
          data.inside.length === 0
            ? 'put files into it'
            : `write ${data.inside.map((glob) => `\`${glob}\``).join(' or ')}`,
        ],
      };
    }
    const near = nearest(data.path, data.near ?? []);
    return {
      message: `no file matches \`${data.path}\``,
      label: 'no such file',
      notes:
        data.near === undefined || data.near.length === 0 ? [] : [`files there: ${listed(data.near, 12)}`],
      help: [near === undefined ? 'paths are relative to the pipeline file' : `did you mean \`${near}\`?`],
    };
  },
  'empty-data': (data: { readonly path: string; readonly why?: string }): Words => ({
    message: `\`${data.path}\` holds no rows${data.why === undefined ? '' : `: ${data.why}`}`,
    label: 'no rows',
    help: ['put at least one row into it, or name another file'],
  }),
  'not-json': (data: DataPlace & { readonly text: string; readonly why: string }): Words => ({
    message: `${at(data)}: this ${unitOf(data)} is not JSON: ${data.why}`,
    notes: [`the ${unitOf(data)}: ${excerpt(data.text)}`],
    help: [`every ${unitOf(data)} is one JSON object, such as {"prompt": "…", "completion": "…"}`],
  }),
  'missing-field': (
    data: DataPlace & {
      readonly fields: readonly string[];
      readonly has: readonly string[];
      readonly rows: string;
      /** Shapes that are recognised without being told. */
      readonly shapes?: readonly string[];
      /** What could be written: `prompt=问题 completion=回答`. */
      readonly mapping?: string;
      /** What else could be done, where names are not what is wrong. */
      readonly way?: string;
    },
  ): Words => {
    const help =
      data.way ??
      (data.mapping === undefined
        ? 'name other data: these rows are of another shape'
        : `rename the columns: \`→ columns(${data.mapping})\``);
    return {
      message: `${at(data)}: the row has no field ${data.fields.map((field) => `\`${field}\``).join(', ')}`,
      label: 'its rows do not have the right shape',
      notes: [
        `the stage takes ${data.rows}`,
        `the row has: ${listed(data.has) || 'nothing'}`,
        ...(data.shapes === undefined ? [] : [`shapes known by their columns: ${data.shapes.join(', ')}`]),
      ],
      help: [help],
    };
  },
  'no-supervised-token': (data: DataPlace & { readonly why?: string }): Words => ({
    message: `${at(data)}: no token of this row carries loss, so nothing can be learned from it${data.why === undefined ? '' : ` (${data.why})`}`,
    help: ['a row needs a completion, or an assistant message; check that the chat template renders it'],
  }),
  'overlong-row': (
    data: DataPlace & { readonly tokens: number; readonly most: number; readonly rows?: number },
  ): Words => ({
    message: `${at(data)}: the row has ${data.tokens} tokens, and the stage takes at most ${data.most}`,
    notes: data.rows === undefined ? [] : [`${plural(data.rows, 'row')} of this data are too long`],
    help: ['make `context` larger, or say `overlong=drop` or `overlong=truncate`'],
  }),
  'bad-row': (data: DataPlace & { readonly why: string; readonly help?: string }): Words => ({
    message: `${at(data)}: ${data.why}`,
    help: [data.help ?? 'mend the row, or leave it out'],
  }),
  'bad-template': (data: { readonly why: string; readonly row?: string }): Words => ({
    message: `the chat template fails: ${data.why}`,
    notes: data.row === undefined ? [] : [`at row ${data.row}`],
    help: ['the template is jinja and is given `messages` and `add_generation_prompt`'],
  }),
  'no-convention-data': (data: { readonly stage: string; readonly tried: readonly string[] }): Words => ({
    message: `\`${data.stage}\` names no data, and there is none by convention`,
    label: 'which data?',
    notes: [`looked for: ${listed(data.tried)}`],
    help: [`put a file there, or name the data: \`${data.stage}(data=jsonl("rows.jsonl"))\``],
  }),
  'unreadable-model': (data: { readonly model: string; readonly why: string }): Words => ({
    message: `\`${data.model}\` is no model that can be opened: ${data.why}`,
    label: 'opened here',
    help: [
      'a model is a directory with config.json, model.safetensors (or its shards with an index) and tokenizer.json',
    ],
  }),
  'too-few-rows': (data: { readonly data: string; readonly has: string; readonly needs: string }): Words => ({
    message: `\`${data.data}\` has ${data.has}, and ${data.needs} are needed`,
    label: 'too little data',
    help: ['add rows, or make the batch or the context smaller'],
  }),

  diverged: (data: {
    readonly stage: string;
    readonly step: number;
    readonly loss: string;
    readonly learningRate: number;
    readonly cause?: string;
  }): Words => ({
    message: `the loss of \`${data.stage}\` became ${data.loss} at step ${data.step}`,
    label: 'diverged',
    notes: [...(data.cause === undefined ? [] : [data.cause]), `the learning rate was ${data.learningRate}`],
    help: [
      'lower `lr`, lengthen `warmup`, or clip the gradients harder (`clip=0.5`): the stage then begins anew',
    ],
  }),
  'method-does-not-fit': (data: {
    readonly method: string;
    readonly option: string;
    readonly why: string;
    readonly help?: readonly string[];
  }): Words => ({
    message: `\`${data.method}\` does not fit the model: ${data.why}`,
    label: `\`${data.option}\` does not fit`,
    help: data.help ?? [],
  }),
  'model-does-not-fit': (data: { readonly model: string; readonly why: string }): Words => ({
    message: `\`${data.model}\` cannot be built: ${data.why}`,
    label: 'these sizes do not go together',
  }),
  'gate-not-met': (data: {
    readonly gate: string;
    readonly conditions: readonly { readonly text: string; readonly value: number }[];
  }): Words => ({
    message: `\`${data.gate}\` is not met, so what follows does not run`,
    label: 'not met',
    notes: data.conditions.map(({ text, value }) => `${text}, but it is ${value}`),
    help: ['train longer, or change the bound'],
  }),
  'no-device': (data: {
    readonly device: string;
    readonly why: string;
    readonly offered: readonly string[];
  }): Words => ({
    message: `the device \`${data.device}\` cannot be used: ${data.why}`,
    notes: [`this machine offers: ${listed(data.offered)}`],
    help: ['`ftc devices` says what each device needs; `--device auto` takes what is there'],
  }),
  'engine-died': (data: {
    readonly stage: string;
    readonly step?: number;
    readonly how: string;
    readonly resume: string;
  }): Words => ({
    message: `the engine stopped in \`${data.stage}\`${data.step === undefined ? '' : ` at step ${data.step}`}: ${data.how}`,
    label: 'was running',
    help: [`go on from the last checkpoint with \`${data.resume}\``],
  }),
  'not-writable': (data: { readonly path: string; readonly why: string }): Words => ({
    message: `cannot write to \`${data.path}\`: ${data.why}`,
    label: 'cannot be written',
    help: ['choose a place that you may write to'],
  }),
  'stage-failed': (data: {
    readonly stage: string;
    readonly why: string;
    readonly help?: readonly string[];
  }): Words => ({
    message: `\`${data.stage}\` failed: ${data.why}`,
    label: 'failed',
    help: data.help ?? [],
  }),
  'would-overwrite': (data: { readonly path: string; readonly files: readonly string[] }): Words => ({
    message: `\`${data.path}\` has files that no export of ftc wrote, or that were changed since`,
    label: 'is there already',
    notes: [`files: ${listed(data.files, 8)}`],
    help: ['name another place, move the files away, or write `overwrite=true` to replace them'],
  }),
  'export-differs': (data: {
    readonly written: string;
    readonly where: string;
    readonly notes?: readonly string[];
    /** It holds what it should, in a number format that is too coarse for this model. */
    readonly coarse?: boolean;
  }): Words => ({
    message: `${data.written}, read again, is not the model in the run: ${data.where}`,
    label: 'nothing was left of it',
    notes: data.notes ?? [],
    help: [
      data.coarse
        ? 'this number format is too coarse for this model: take one with more bits, `quant=q8_0` or `dtype=f32`'
        : 'this is a fault of ftc or of the disk: run it again, and report it where it stays',
    ],
  }),
};
