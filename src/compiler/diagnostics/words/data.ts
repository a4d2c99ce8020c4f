/** Words of the problems of data files and of their columns (FTP5012, FTP5013). */
import { at, type DataPlace } from './data-place.ts';
import { either, listed, type Words } from './words.ts';

export const dataWords = {
  'broken-data-file': (data: {
    readonly path: string;
    readonly why: string;
    /** What could be read before: `row 12`. */
    readonly after?: string;
    readonly help?: string;
  }): Words => ({
    message: `\`${data.path}\` cannot be read: ${data.why}`,
    label: 'this file',
    notes: data.after === undefined ? [] : [`what comes before could be read: up to ${data.after}`],
    help: [data.help ?? 'write or fetch the file again, and compare its size with that of the original'],
  }),
  'ambiguous-columns': (
    data: DataPlace & {
      /** What more than one column could be: `prompt`. */
      readonly field: string;
      readonly columns: readonly string[];
      readonly has: readonly string[];
      /** What could be written: `prompt=question completion=answer`. */
      readonly mapping: string;
    },
  ): Words => ({
    message: `${at(data)}: ${either(data.columns)} could be the ${data.field}`,
    label: 'its columns can be read in more than one way',
    notes: [`the row has: ${listed(data.has)}`],
    help: [`say which is meant: \`→ columns(${data.mapping})\``],
  }),
};
