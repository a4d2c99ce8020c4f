/** Words of the problems of a whole pipeline (FTP3nnn). */
import { nearest } from '../nearest.ts';
import { didYouMean, either, listed, type Words } from './words.ts';

export const graphWords = {
  'missing-slot': (data: {
    readonly stage: string;
    readonly slot: string;
    readonly describes: string;
    /** Stages that write the slot. */
    readonly providers: readonly string[];
  }): Words => ({
    message: `\`${data.stage}\` needs ${data.describes}, which no earlier stage makes`,
    label: `reads \`${data.slot}\``,
    notes: data.providers.length === 0 ? [] : [`\`${data.slot}\` is made by: ${listed(data.providers)}`],
    help: data.providers.length === 0 ? [] : [`put ${either(data.providers)} before \`${data.stage}\``],
  }),
  'duplicate-label': (data: { readonly label: string }): Words => ({
    message: `two stages are called \`${data.label}\``,
    label: 'the same name again',
    help: [`give this one a label: \`second-${data.label}: …\``],
  }),
  'unknown-metric': (data: {
    readonly metric: string;
    readonly stage?: string | undefined;
    readonly legal: readonly string[];
  }): Words => ({
    message:
      data.stage === undefined
        ? `no earlier stage makes the metric \`${data.metric}\``
        : `\`${data.stage}\` makes no metric \`${data.metric}\``,
    label: 'nobody makes it',
    notes: [
      data.legal.length === 0 ? 'no earlier stage makes any metric' : `metrics: ${listed(data.legal, 60)}`,
    ],
    ...(nearest(data.metric, data.legal) === undefined && data.legal.length === 0
      ? { help: ['put an `eval` before the gate: `quick: eval → gate(quick.loss < 2)`'] }
      : didYouMean(nearest(data.metric, data.legal))),
  }),
  'ambiguous-metric': (data: { readonly metric: string; readonly stages: readonly string[] }): Words => ({
    message: `several stages make \`${data.metric}\``,
    label: 'whose?',
    help: [`write ${either(data.stages.slice(0, 5).map((stage) => `${stage}.${data.metric}`))}`],
  }),
  'metric-made-later': (data: { readonly stage: string; readonly metric: string }): Words => ({
    message: `\`${data.stage}.${data.metric}\` is made only after this gate`,
    label: 'not made yet',
    help: [`put \`${data.stage}\` before the gate`],
  }),
  'no-conditions': (data: { readonly stage: string; readonly example: string }): Words => ({
    message: `\`${data.stage}\` holds no condition, so it would stop nothing`,
    label: 'no condition',
    help: [`write one: \`${data.example}\``],
  }),
  'no-pipeline': (data: { readonly path: string }): Words => ({
    message: `\`${data.path}\` declares no pipeline, so there is nothing to run`,
    help: ['add a line such as `pretrain → sft(lora r=8 targets=q,v)`'],
  }),
  'which-pipeline': (data: { readonly names: readonly string[] }): Words => ({
    message: `the file has ${data.names.length} pipelines; say which one`,
    notes: [`pipelines: ${listed(data.names)}`],
    help: [`add \`-p ${data.names[0] ?? 'name'}\``],
  }),
  'unknown-label': (data: {
    readonly label: string;
    readonly legal: readonly string[];
    readonly later: boolean;
  }): Words => ({
    message: data.later
      ? `\`${data.label}\` comes only later`
      : `no earlier stage is called \`${data.label}\``,
    label: data.later ? 'comes later' : 'not a stage before this one',
    notes: [data.legal.length === 0 ? 'no stage comes before' : `stages before: ${listed(data.legal)}`],
    ...didYouMean(nearest(data.label, data.legal)),
  }),
};
