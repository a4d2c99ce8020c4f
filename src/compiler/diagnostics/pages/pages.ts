/** The long page of every diagnostic; the type checker names any that has none. */
import type { ProblemName } from '../codes.ts';
import { dataPages } from './data.ts';
import { graphPages } from './graph.ts';
import { hubPages } from './hub.ts';
import { namePages } from './names.ts';
import type { Page } from './page.ts';
import { runtimePages } from './runtime.ts';
import { storePages } from './store.ts';
import { syntaxPages } from './syntax.ts';
import { valuePages } from './values.ts';

export const pages: { readonly [K in ProblemName]: Page } = {
  ...syntaxPages,
  ...namePages,
  ...valuePages,
  ...graphPages,
  ...runtimePages,
  ...hubPages,
  ...dataPages,
  ...storePages,
};
