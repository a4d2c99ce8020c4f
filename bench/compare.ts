/**
 * Our side and the peer's, one after the other in processes of their own, and the medians of their ratios.
 *
 *     npm run bench -- NAME… [--rounds 3] [--steps N] [--python PATH] [--passive] [--dry] [--text FILE]
 *
 * Writes results/NAME.json and results/README.md, unless `--dry`. The peer is the PyTorch of `--python` (python3).
 * `--passive`: the peer's threads sleep while they wait, as ours do. On a machine that others use, threads that spin make a
 * step of the peer many times slower; on a quiet one they are a little quicker.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { median } from './measure.ts';
import { drawTable, type Figures, loadAverage, machine, type RowResult, writeResults } from './results.ts';
import { benches, type Row, type Side, type Target } from './rows.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    text: { type: 'string' },
    passive: { type: 'boolean', default: false },
    dry: { type: 'boolean', default: false },
  },
});

const root = join(import.meta.dirname, '../..');
const waiting: NodeJS.ProcessEnv = values.passive ? { OMP_WAIT_POLICY: 'passive' } : {};
const threads = { OMP_NUM_THREADS: '2', OPENBLAS_NUM_THREADS: '2', MKL_NUM_THREADS: '2' };

async function measure(program: string, script: string, { options }: Side): Promise<Figures> {
  const given = { ...options, ...(values.steps !== undefined && { steps: values.steps }) };
  const words = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout } = await promisify(execFile)(program, [script, ...words], {
    cwd: root,
    env: { ...process.env, ...threads, ...waiting },
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Figures;
}

/** The character model reads a text that the project does not carry. */
const withText = (side: Side): Side =>
  side.script === 'char' && values.text !== undefined ? { ...side, options: { text: values.text } } : side;

async function round(row: Row): Promise<{ figures: Figures; ours: Figures; peer?: Figures }> {
  const ours = await measure(
    process.execPath,
    join('dist/bench', `${row.ours.script}.js`),
    withText(row.ours),
  );
  if (!row.peer) return { figures: ours, ours };
  const peer = row.peer.own
    ? await measure(process.execPath, join('dist/bench', `${row.peer.script}.js`), row.peer)
    : await measure(values.python, join('bench/peers', `${row.peer.script}.py`), row.peer);
  const ratio = (ofOurs: Figures, ofPeer: Figures, name: string) =>
    Number(ofOurs[name]) / Number(ofPeer[name]);
  const figures = {
    ...ours,
    speed: ratio(peer, ours, 'medianMs'),
    // Of the quickest steps: what a loaded machine disturbs least.
    speedAtBest: ratio(peer, ours, 'bestMs'),
    // Of processor time: what a loaded machine does not stretch, though threads that spin do.
    processor: ratio(peer, ours, 'processorMs'),
    memory: ratio(ours, peer, 'peakGb'),
  };
  return { figures, ours, peer };
}

function verdict({ figure, atLeast, atMost }: Target, figures: Readonly<Record<string, number>>) {
  const value = figures[figure]!;
  const met = value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY);
  return {
    figure,
    value,
    target: [atLeast !== undefined && `≥ ${atLeast}`, atMost !== undefined && `≤ ${atMost}`]
      .filter(Boolean)
      .join(', '),
    met,
  };
}

async function compare(row: Row): Promise<RowResult> {
  const loadBefore = loadAverage();
  const rounds: Awaited<ReturnType<typeof round>>[] = [];
  for (let i = 0; i < Number(values.rounds); i++) rounds.push(await round(row));
  const numeric = Object.entries(rounds[0]!.figures).filter(([, value]) => typeof value === 'number');
  const medians = Object.fromEntries(
    numeric.map(([name]) => [
      name,
      Number(median(rounds.map((r) => Number(r.figures[name]))).toPrecision(4)),
    ]),
  );
  const library = rounds[0]!.peer?.library;
  return {
    title: row.title,
    load: [loadBefore, loadAverage()],
    peer:
      library === undefined
        ? ''
        : `${library}${values.passive ? ', threads that sleep while they wait' : ''}`,
    medians,
    verdicts: row.targets.map((target) => verdict(target, medians)),
    rounds: rounds.map(({ ours, peer }) => (peer ? { ours, peer } : { ours })),
  };
}

const names =
  positionals.length > 0
    ? positionals
    : Object.keys(benches).filter((name) => name !== 'char' || values.text);
for (const name of names) {
  const rows = benches[name];
  if (!rows) throw new Error(`no bench is called ${name}; there are ${Object.keys(benches).join(', ')}`);
  const results: RowResult[] = [];
  for (const row of rows) {
    const result = await compare(row);
    results.push(result);
    console.log(drawTable([result]));
    if (values.dry) continue;
    // After every row: a run that is cut short leaves what it measured.
    const file = { name, date: new Date().toISOString().slice(0, 10), machine: machine(), rows: results };
    await writeResults(join(root, 'bench/results'), file);
  }
}
