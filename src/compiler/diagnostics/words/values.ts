/** Words of the problems with values, types and units (FTP2nnn). */
import { nearest } from '../nearest.ts';
import { didYouMean, listed, type Words } from './words.ts';

export const valueWords = {
  'wrong-type': (data: {
    /** `r`, or what else takes the value. */
    readonly name: string;
    /** `a whole number`, `true or false`. */
    readonly expected: string;
    /** `text`, `the number 2.5`. */
    readonly found: string;
    readonly choices?: readonly string[] | undefined;
    readonly replacement?: string | undefined;
    readonly hint?: string | undefined;
  }): Words => ({
    message: `\`${data.name}\` takes ${data.expected}, not ${data.found}`,
    label: `expected ${data.expected}`,
    notes: data.choices === undefined ? [] : [`choices: ${listed(data.choices, 60)}`],
    ...(data.replacement === undefined
      ? { help: data.hint === undefined ? [] : [data.hint] }
      : { help: [`write \`${data.replacement}\``], replacement: data.replacement }),
  }),
  'out-of-range': (data: {
    readonly name: string;
    readonly value: string;
    readonly rule: string;
    readonly description?: string;
    readonly hint?: string;
  }): Words => ({
    message: `\`${data.name}\` must be ${data.rule}, not ${data.value}`,
    label: `must be ${data.rule}`,
    notes: data.description === undefined ? [] : [`${data.name}: ${data.description}`],
    help: data.hint === undefined ? [] : [data.hint],
  }),
  'not-a-choice': (data: {
    readonly name: string;
    readonly value: string;
    readonly legal: readonly string[];
    /** Of which `value` is another name. */
    readonly meant?: string | undefined;
  }): Words => ({
    message: `\`${data.value}\` is not a choice for \`${data.name}\``,
    label: 'not a choice',
    notes: [`choices: ${listed(data.legal, 60)}`],
    ...didYouMean(data.meant ?? nearest(data.value, data.legal)),
  }),
  'unknown-unit': (data: {
    readonly unit: string;
    readonly number: string;
    readonly legal: readonly string[];
    /** Those that do not fit here as well. */
    readonly all: readonly string[];
  }): Words => {
    const near = nearest(data.unit, data.legal);
    const other = nearest(data.unit, data.all);
    const help =
      near !== undefined
        ? { help: [`did you mean \`${near}\`?`], replacement: data.number + near }
        : { help: other === undefined ? [] : [`did you mean \`${other}\`?`] };
    return {
      message: `unknown unit \`${data.unit}\``,
      label: 'not a unit',
      notes: [`units that fit here: ${listed(data.legal)}`],
      ...help,
    };
  },
  'wrong-unit': (data: {
    readonly name: string;
    readonly unit: string;
    readonly measures: string;
    readonly legal: readonly string[];
  }): Words => ({
    message: `\`${data.name}\` is ${data.measures}, and \`${data.unit}\` does not measure that`,
    label: 'wrong unit',
    notes: [
      data.legal.length === 0
        ? 'it takes a number without a unit'
        : `units that fit here: ${listed(data.legal)}`,
    ],
  }),
  'without-effect': (data: {
    readonly name: string;
    /** `optimizer=sgd` */
    readonly beside: string;
    readonly note: string;
  }): Words => ({
    message: `\`${data.name}\` does nothing beside \`${data.beside}\``,
    label: 'has no effect',
    notes: [data.note],
    help: [`remove \`${data.name}\``],
  }),
  'model-without-weights': (data: {
    readonly stage: string;
    readonly model: string;
    readonly written: string;
  }): Words => ({
    message: `\`${data.stage}\` starts from a model with weights, and \`${data.written}\` has none yet`,
    label: `a new \`${data.model}\``,
    help: [
      `train it first: \`pretrain(model=${data.written}) → ${data.stage}\``,
      'or open one that is there: `model=local("directory")` or `model=hf("org/name")`',
    ],
  }),
  'too-large': (data: { readonly what: string; readonly most: number }): Words => ({
    message: `${data.what} grows too large: more than ${data.most.toLocaleString('en-US')}`,
    label: 'grows beyond all bounds here',
    help: ['definitions that repeat each other multiply; write the parts that are needed'],
  }),
};
