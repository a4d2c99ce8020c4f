/** THE LIST of commands. Each loads its code only when it is called, so that a command pays for what it uses. */
import type { Command, Flag } from './command.ts';

const common: readonly Flag[] = [
  { name: 'help', short: 'h', summary: 'show this help' },
  { name: 'color', value: 'WHEN', summary: 'auto, always or never' },
  { name: 'quiet', short: 'q', summary: 'only what went wrong' },
  { name: 'verbose', short: 'v', summary: 'more detail' },
];

const json: Flag = { name: 'json', summary: 'write JSON' };

/** Which pipeline, and with which values. */
const pipeline: readonly Flag[] = [
  { name: 'pipeline', short: 'p', value: 'NAME', summary: 'which pipeline of the file' },
  { name: 'profile', value: 'NAME', summary: 'apply a profile of the file' },
  { name: 'set', value: 'PATH=VALUE', repeatable: true, summary: 'set a parameter or an option' },
];

/** Which stages of it. */
const range: readonly Flag[] = [
  { name: 'only', value: 'STAGE', summary: 'run this stage alone, again if it has a result' },
  { name: 'from', value: 'STAGE', summary: 'run this stage and what follows, again if they have results' },
  { name: 'until', value: 'STAGE', summary: 'stop after this stage' },
];

const machine: readonly Flag[] = [
  { name: 'device', value: 'NAME', summary: 'auto, cpu, webgpu, cuda, …' },
  { name: 'store', value: 'DIR', summary: 'where results are kept (.ftc beside the file)' },
];

const reporter: Flag = {
  name: 'reporter',
  value: 'NAME[=FILE]',
  repeatable: true,
  summary: 'json, github, markdown or junit',
};

const store = machine.filter(({ name }) => name === 'store');

export const commands: readonly Command[] = [
  {
    name: 'check',
    usage: 'FILE…',
    summary: 'syntax, names, types, graph; offline, no device',
    flags: [{ name: 'fix', summary: 'apply safe fixes' }, json, reporter, ...pipeline, ...common],
    takes: { least: 1, most: 10_000 },
    examples: ['ftc check medical.ftp', 'ftc check --fix pipelines/*.ftp'],
    load: () => import('./commands/check.ts'),
  },
  {
    name: 'fmt',
    usage: 'FILE…',
    summary: 'the one way to lay out a file; - reads stdin',
    flags: [
      { name: 'check', summary: 'change nothing; exit 1 if something would change' },
      { name: 'diff', summary: 'change nothing; show what would change' },
      ...common,
    ],
    takes: { least: 1, most: 10_000 },
    examples: ['ftc fmt medical.ftp', 'ftc fmt --check pipelines/*.ftp', 'ftc fmt - < medical.ftp'],
    load: () => import('./commands/fmt.ts'),
  },
  {
    name: 'plan',
    usage: 'FILE',
    summary: 'what would run, why, and what it costs',
    flags: [
      json,
      { name: 'out', value: 'PLAN', summary: 'write the plan to a file that `ftc run` executes' },
      { name: 'detailed-exitcode', summary: '0 nothing to run, 1 error, 2 something would run' },
      { name: 'memory', value: 'SIZE', summary: 'for a device of that memory: 24GB (default: this machine)' },
      ...range,
      reporter,
      ...pipeline,
      ...machine,
      ...common,
    ],
    takes: { least: 1, most: 1 },
    examples: [
      'ftc plan medical.ftp',
      'ftc plan medical.ftp --set sft.lr=1e-4',
      'ftc plan medical.ftp --out plan.json',
      'ftc plan medical.ftp --memory 24GB',
    ],
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'run',
    usage: 'FILE|PLAN',
    summary: 'run a pipeline, or a plan made earlier',
    flags: [
      ...range,
      { name: 'plain', summary: 'lines instead of the live view' },
      { name: 'json', summary: 'one JSON event per line' },
      { name: 'yes', short: 'y', summary: 'do not ask before a long run' },
      reporter,
      ...pipeline,
      ...machine,
      ...common,
    ],
    takes: { least: 1, most: 1 },
    examples: [
      'ftc run medical.ftp',
      'ftc run medical.ftp --until sft',
      'ftc run medical.ftp --profile smoke --plain',
    ],
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'compile',
    alias: 'graph',
    usage: 'FILE',
    summary: 'what the compiler makes of a file, pass by pass',
    flags: [
      { name: 'emit', value: 'WHAT', summary: 'tokens, ast, graph, program, onnx, mermaid or dot (graph)' },
      { name: 'stage', value: 'STAGE', summary: 'whose program (program and onnx)' },
      { name: 'after', value: 'PASS', summary: "the stage's program after this pass" },
      { name: 'passes', summary: "list the passes of the stage's program" },
      { name: 'out', value: 'FILE', summary: 'write to a file (onnx needs one)' },
      json,
      ...pipeline,
      ...machine,
      ...common,
    ],
    takes: { least: 1, most: 1 },
    examples: [
      'ftc compile medical.ftp --emit mermaid',
      'ftc compile medical.ftp --emit program --stage sft --after adapt',
      'ftc compile medical.ftp --stage sft --passes',
    ],
    load: () => import('./commands/compile.ts'),
  },
  {
    name: 'why',
    usage: 'FILE STAGE',
    summary: 'why a stage would run again: the exact key that changed',
    flags: [json, ...pipeline, ...machine, ...common],
    takes: { least: 2, most: 2 },
    examples: ['ftc why medical.ftp sft'],
    load: () => import('./commands/why.ts'),
  },
  {
    name: 'generate',
    usage: 'MODEL PROMPT',
    summary: "sample from a run's model; MODEL is a run, a stage or a directory",
    flags: [
      { name: 'chat', summary: "the prompt is a user's turn of a chat" },
      { name: 'temperature', value: 'T', summary: '0 takes the likeliest token (0.8)' },
      { name: 'top-p', value: 'P', summary: 'share of the probability to draw from (0.95)' },
      { name: 'max-tokens', value: 'N', summary: 'at most so many new tokens (200)' },
      { name: 'seed', value: 'N', summary: 'the same seed draws the same text (0)' },
      json,
      ...machine,
      ...common,
    ],
    takes: { least: 2, most: 2 },
    examples: ['ftc generate ppo "Once upon a time"', 'ftc generate dist/medical --chat "What is asthma?"'],
    load: () => import('./commands/generate.ts'),
  },
  {
    name: 'score',
    usage: 'MODEL [FILE]',
    summary: 'log-probabilities, losses and rewards of JSON lines; MODEL is a run, a stage or a directory',
    flags: [
      { name: 'adapter', value: 'DIR', summary: 'fold in an adapter in the layout of PEFT' },
      json,
      ...store,
      ...common,
    ],
    takes: { least: 1, most: 2 },
    examples: [
      `echo '{"prompt": "What is asthma?", "completion": "A disease."}' | ftc score sft`,
      'ftc score dist/medical lines.jsonl --json',
    ],
    load: () => import('./commands/score.ts'),
  },
  {
    name: 'tokenize',
    usage: 'MODEL [FILE]',
    summary: 'token ids of texts and chats in JSON lines; MODEL is a run, a stage or a directory',
    flags: [
      { name: 'text', value: 'TEXT', summary: 'of this text' },
      { name: 'chat', value: 'TEXT', summary: "of a chat that begins with this user's turn" },
      json,
      ...store,
      ...common,
    ],
    takes: { least: 1, most: 2 },
    examples: [
      'ftc tokenize latest --text "Once upon a time"',
      `echo '{"messages": [{"role": "user", "content": "What is asthma?"}]}' | ftc tokenize sft --json`,
      'ftc tokenize dist/medical lines.jsonl --json',
    ],
    load: () => import('./commands/tokenize.ts'),
  },
  {
    name: 'explain',
    usage: 'CODE',
    summary: 'the long page of a diagnostic',
    flags: [json, ...common],
    takes: { least: 1, most: 1 },
    examples: ['ftc explain FTP2003'],
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'docs',
    usage: '[NAME]',
    summary: 'reference of a stage, a method, an operator, from its schema',
    flags: [json, ...common],
    takes: { least: 0, most: 1 },
    examples: ['ftc docs', 'ftc docs sft'],
    load: () => import('./commands/docs.ts'),
  },
  {
    name: 'devices',
    usage: '',
    summary: 'what this machine offers, and why something is not usable',
    flags: [json, ...common],
    takes: { least: 0, most: 0 },
    examples: ['ftc devices'],
    load: () => import('./commands/devices.ts'),
  },
  {
    name: 'init',
    usage: '[TEMPLATE]',
    summary: 'a starting pipeline with data that runs at once',
    flags: [
      { name: 'to', value: 'DIR', summary: 'where to write it (here)' },
      { name: 'list', summary: 'list the templates' },
      ...common,
    ],
    takes: { least: 0, most: 1 },
    examples: ['ftc init', 'ftc init quickstart --to my-model'],
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'runs',
    usage: '[FILE]',
    summary: 'past runs',
    flags: [json, ...store, ...common],
    takes: { least: 0, most: 1 },
    examples: ['ftc runs', 'ftc runs pipelines/medical.ftp'],
    load: () => import('./commands/runs.ts'),
  },
  {
    name: 'clean',
    usage: '[FILE]',
    summary: 'reclaim space, never what a kept run needs',
    flags: [
      { name: 'keep', value: 'N', summary: 'keep the latest N runs (10)' },
      { name: 'dry-run', summary: 'change nothing; show what would go' },
      json,
      ...store,
      ...common,
    ],
    takes: { least: 0, most: 1 },
    examples: ['ftc clean --dry-run', 'ftc clean --keep 3'],
    load: () => import('./commands/clean.ts'),
  },
];
