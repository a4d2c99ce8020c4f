// `ftc run` from the faces on, with the fake engine: the child process that the tests of the faces start.
// Arguments: --json, --plain, --reporter=NAME[=FILE] …; FAKE_ENGINE is the scenario (see fake-engine.mjs).
import { chooseFaces } from '../../dist/src/cli/choose-faces.js';
import { leaveWhenPipeCloses } from '../../dist/src/cli/closed-pipe.js';
import { followRun } from '../../dist/src/cli/follow-run.js';
import { createOutput } from '../../dist/src/cli/output.js';
import { parseReporters } from '../../dist/src/cli/reporters/reporter-request.js';

leaveWhenPipeCloses();
const words = process.argv.slice(2);
const resume = 'ftc run medical.ftp';
const span = { file: 'medical.ftp', start: 0, end: 3, line: 13, column: 5 };
const request = {
  file: 'medical.ftp',
  plan: {},
  graph: { jobs: [{ id: 'sft', span }] },
  store: '.ftc',
  device: 'cpu',
};
const reporters = parseReporters(
  words.filter((word) => word.startsWith('--reporter=')).map((word) => word.slice(11)),
);
const control = {};
const choice = {
  json: words.includes('--json'),
  plain: words.includes('--plain'),
  quiet: words.includes('--quiet'),
  reporters,
  resume,
  store: '.ftc',
  file: 'medical.ftp',
};
const faces = await chooseFaces(choice, createOutput(undefined), control);
process.exitCode = await followRun(
  { request, faces, resume, main: new URL('./fake-engine.mjs', import.meta.url) },
  control,
);
