/** medical.ftp from text to an aligned model, with its smaller profile. */
import { beforeAll, describe } from 'vitest';
import { acceptMedical } from './medical-acceptance.ts';
import { copyOf, type Recorded } from './run-pipeline.ts';

let run: Recorded;
beforeAll(async () => {
  run = await copyOf('medical.ftp', 'medical')(['--profile', 'smoke']);
}, 900_000);

describe('medical.ftp', () => acceptMedical(() => run));
