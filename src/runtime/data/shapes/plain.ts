/** The shapes whose columns are already called as stages call them (TRL's names). */
import { column, has, type Shape } from './shape.ts';

export const text: Shape = {
  name: 'text',
  columns: 'text',
  mapping: (row) => (has(row, 'text') ? { text: column('text') } : undefined),
  read: ({ value }) => value,
};

export const prompt: Shape = {
  name: 'prompt',
  columns: 'prompt',
  mapping: (row) => (has(row, 'prompt') ? { prompt: column('prompt') } : undefined),
  read: ({ value }) => value,
};

export const promptCompletion: Shape = {
  name: 'prompt and completion',
  columns: 'prompt completion',
  mapping: (row) =>
    has(row, 'prompt') && has(row, 'completion')
      ? { prompt: column('prompt'), completion: column('completion') }
      : undefined,
  read: ({ value }) => value,
};
