// Loaded with `--import`: writes every module that the process loads to the file IMPORT_LOG.
import { register } from 'node:module';

register('./import-log-hooks.mjs', import.meta.url);
