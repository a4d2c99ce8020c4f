/** Words of the problems with names (FTP2nnn). */
import { nearest } from '../nearest.ts';
import { didYouMean, either, listed, type Words } from './words.ts';

export const nameWords = {
  'unknown-stage': (data: {
    readonly name: string;
    /** What may stand there, in words: `stage`, `source`, `operator`. */
    readonly kind: string;
    readonly legal: readonly string[];
    readonly hint?: string | undefined;
  }): Words => {
    const near = didYouMean(nearest(data.name, data.legal));
    return {
      message: `there is no ${data.kind} \`${data.name}\``,
      label: `not ${data.kind.startsWith('o') ? 'an' : 'a'} ${data.kind}`,
      notes: [`${data.kind}s: ${listed(data.legal)}`],
      ...near,
      ...(data.hint === undefined ? {} : { help: [...(near.help ?? []), data.hint] }),
    };
  },
  'unknown-name': (data: {
    readonly name: string;
    readonly kind: string;
    readonly legal: readonly string[];
    readonly hint?: string | undefined;
    /** Written before the name in the source: `$`. */
    readonly prefix?: string;
  }): Words => {
    const near = nearest(data.name, data.legal);
    return {
      message: `no ${data.kind} is called \`${data.name}\``,
      label: `not declared`,
      notes:
        data.legal.length === 0 ? [`the file declares no ${data.kind}`] : [`declared: ${listed(data.legal)}`],
      ...(near === undefined
        ? { help: data.hint === undefined ? [] : [data.hint] }
        : { help: [`did you mean \`${near}\`?`], replacement: (data.prefix ?? '') + near }),
    };
  },
  'unknown-param': (data: {
    /** The method or stage that was asked. */
    readonly owner: string;
    readonly name: string;
    readonly legal: readonly string[];
    /** More names that are legal at this place: the stage's own, while a method is open. */
    readonly alsoLegal?: readonly string[];
    readonly hint?: string | undefined;
  }): Words => {
    const near = didYouMean(nearest(data.name, [...data.legal, ...(data.alsoLegal ?? [])]));
    return {
      message: `\`${data.owner}\` has no parameter \`${data.name}\``,
      label: `not a parameter of \`${data.owner}\``,
      notes: [
        data.legal.length === 0
          ? `\`${data.owner}\` takes no parameters`
          : `parameters of \`${data.owner}\`: ${listed(data.legal, 60)}`,
      ],
      ...(data.hint === undefined ? near : { help: [data.hint] }),
    };
  },
  'unknown-argument': (data: {
    readonly owner: string;
    readonly written: string;
    /** Words that may stand alone: the methods of a stage. */
    readonly legal: readonly string[];
    readonly takes: number;
  }): Words => ({
    message: `\`${data.owner}\` has no use for \`${data.written}\``,
    label: data.takes > 0 ? 'one value too many' : 'neither a method nor `key=value`',
    notes: data.legal.length === 0 ? [] : [`methods of \`${data.owner}\`: ${listed(data.legal)}`],
    ...didYouMean(nearest(data.written, data.legal)),
  }),
  'missing-param': (data: {
    readonly owner: string;
    readonly name: string;
    readonly description: string;
  }): Words => ({
    message: `\`${data.owner}\` needs \`${data.name}\``,
    label: `\`${data.name}\` is missing`,
    notes: [`${data.name}: ${data.description}`],
    help: [`write \`${data.owner}(${data.name}=…)\``],
  }),
  'duplicate-name': (data: { readonly kind: string; readonly name: string }): Words => ({
    message: `${data.kind} \`${data.name}\` is declared twice`,
    label: 'declared again',
    help: ['give one of them another name'],
  }),
  'duplicate-param': (data: {
    readonly name: string;
    /** The option of whose list it is an item. */
    readonly list?: string;
  }): Words => ({
    message: `\`${data.name}\` is given twice${data.list === undefined ? '' : ` in \`${data.list}\``}`,
    label: 'given again',
    help: ['remove one of them'],
  }),
  'method-not-hosted': (data: {
    readonly stage: string;
    readonly method: string;
    readonly legal: readonly string[];
  }): Words => ({
    message: `\`${data.stage}\` cannot be trained with \`${data.method}\``,
    label: `not a method of \`${data.stage}\``,
    notes: [
      data.legal.length === 0
        ? `\`${data.stage}\` trains nothing`
        : `methods of \`${data.stage}\`: ${listed(data.legal)}`,
    ],
    help: data.legal.length === 0 ? [`remove \`${data.method}\``] : [`use ${either(data.legal)}`],
  }),
  'two-methods': (data: {
    readonly stage: string;
    readonly first: string;
    readonly second: string;
  }): Words => ({
    message: `\`${data.stage}\` has two methods, \`${data.first}\` and \`${data.second}\``,
    label: 'second method',
    help: ['keep one; two stages in a row can use one each'],
  }),
  circular: (data: { readonly what: string; readonly cycle: readonly string[] }): Words => ({
    message: `${data.what} \`${data.cycle[0] ?? ''}\` leads back to itself`,
    label: 'closes the circle',
    notes: [data.cycle.map((name) => `\`${name}\``).join(' → ')],
    help: ['break the circle: one of them must not name the others'],
  }),
  'import-not-found': (data: { readonly path: string }): Words => ({
    message: `there is no file \`${data.path}\``,
    label: 'not found',
    help: ['the path is relative to the file that says `use`'],
  }),
  'bad-import': (data: { readonly path: string; readonly why: string }): Words => ({
    message: `\`${data.path}\` cannot be used: ${data.why}`,
    label: data.why,
    help: ['write a path relative to this file, such as `use "shared/data.ftp" as shared`'],
  }),
  'unknown-setting': (data: {
    readonly path: string;
    /** What part of the path is wrong, and how. */
    readonly why: string;
    readonly name: string;
    readonly legal: readonly string[];
    readonly whole: boolean;
  }): Words => {
    const near = nearest(data.name, data.legal);
    return {
      message: `\`${data.path}\` sets nothing: ${data.why}`,
      label: data.why,
      notes: data.legal.length === 0 ? [] : [`known: ${listed(data.legal)}`],
      ...(near === undefined
        ? { help: ['write `stage.option`, `*.option` or the name of a `param`'] }
        : didYouMean(near)),
    };
  },
  'unknown-choice': (data: {
    readonly kind: 'profile' | 'pipeline';
    readonly name: string;
    readonly legal: readonly string[];
  }): Words => {
    const near = nearest(data.name, data.legal);
    return {
      message: `the file has no ${data.kind} \`${data.name}\``,
      notes:
        data.legal.length === 0
          ? [`it declares no ${data.kind} with a name`]
          : [`declared: ${listed(data.legal)}`],
      help: near === undefined ? [] : [`did you mean \`${near}\`?`],
    };
  },
  'shadows-builtin': (data: { readonly kind: string; readonly name: string }): Words => ({
    message: `\`${data.name}\` is a stage of the language, so no ${data.kind} can have this name`,
    label: 'taken',
    help: [`call it something else, such as \`my-${data.name}\``],
  }),
  'misplaced-condition': (data: {
    readonly owner: string;
    readonly condition: string;
    readonly hosts: readonly string[];
  }): Words => ({
    message: `\`${data.owner}\` takes no conditions`,
    label: 'a condition',
    help: [
      data.hosts.length === 0
        ? 'remove it'
        : `put it into ${either(data.hosts)}: \`${data.hosts[0]}(${data.condition})\``,
    ],
  }),
  'misplaced-call': (data: {
    readonly written: string;
    readonly why: string;
    readonly help: string;
  }): Words => ({
    message: `\`${data.written}\` cannot stand here: ${data.why}`,
    label: data.why,
    help: [data.help],
  }),
};
