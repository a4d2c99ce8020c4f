/** Words of the problems of what is kept, and of who tells of it (FTP7nnn to FTP9nnn): stores, plans, reporters. */
import { nearest } from '../nearest.ts';
import { listed, type Words } from './words.ts';

export const keptWords = {
  'other-store-version': (data: {
    readonly path: string;
    readonly has: string;
    readonly wants: string;
  }): Words => ({
    message: `the store \`${data.path}\` has format ${data.has}, and this ftc reads format ${data.wants}`,
    help: ['use the ftc that made it, or another store with `--store`'],
  }),
  'store-in-use': (data: { readonly path: string; readonly owner: string }): Words => ({
    message: `the store \`${data.path}\` is in use by ${data.owner}`,
    help: ['wait until that run has ended, or use another store with `--store`'],
  }),
  'stale-plan': (data: { readonly path: string; readonly changed: readonly string[] }): Words => ({
    message: `the plan \`${data.path}\` is stale: what it was made from has changed`,
    notes: data.changed,
    help: ['make a new one with `ftc plan --out`'],
  }),
  'broken-artifact': (data: { readonly path: string; readonly why: string }): Words => ({
    message: `the artifact \`${data.path}\` is broken: ${data.why}`,
    help: ['remove it with `ftc clean`; the stage that made it will run again'],
  }),
  'broken-checkpoint': (data: { readonly path: string; readonly why: string }): Words => ({
    message: `the checkpoint \`${data.path}\` cannot be read: ${data.why}`,
    help: ['remove it; the stage starts from its beginning then'],
  }),
  'not-a-plan': (data: { readonly path: string; readonly why: string }): Words => ({
    message: `\`${data.path}\` is not a plan of this ftc: ${data.why}`,
    help: ['make one with `ftc plan FILE --out PLAN`'],
  }),

  'unknown-reporter': (data: { readonly name: string; readonly legal: readonly string[] }): Words => {
    const near = nearest(data.name, data.legal);
    return {
      message: `there is no reporter \`${data.name}\``,
      notes: [`reporters: ${listed(data.legal)}`],
      help: near === undefined ? [] : [`did you mean \`${near}\`?`],
    };
  },
  'reporter-failed': (data: { readonly name: string; readonly why: string }): Words => ({
    message: `the reporter \`${data.name}\` failed: ${data.why}`,
    notes: ['the run itself goes on'],
  }),

  internal: (data: { readonly what: string }): Words => ({
    message: `a bug in ftc: ${data.what}`,
    help: ['please report it with the pipeline file and the output of the same command with `-v`'],
  }),
};
