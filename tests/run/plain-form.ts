import type { ExportForm } from '../../src/runtime/stages/stage.ts';

/** `export` without options, but for where it writes to. */
export const PLAIN_FORM: ExportForm = {
  to: '',
  format: 'hf',
  what: 'policy',
  as: 'merged',
  dtype: 'base',
  shardBytes: 5e9,
  overwrite: false,
};
