import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.ts';
import { canonicalJob } from '../../src/compiler/graph/canonical-job.ts';
import type { ExecutionGraph } from '../../src/compiler/graph/graph.ts';
import { verifyGraph } from '../../src/compiler/graph/verify-graph.ts';
import { emitDot } from '../../src/compiler/targets/dot.ts';
import { emitMermaid } from '../../src/compiler/targets/mermaid.ts';
import { fixture } from './fixture-catalog.ts';

function graphOf(text: string, set: { path: string; value: string }[] = []): ExecutionGraph {
  const { graph, diagnostics } = compile({ path: 'dir/main.ftp', text }, { catalog: fixture, set });
  expect(diagnostics).toEqual([]);
  return graph!;
}
const key = (text: string, id: string): string =>
  JSON.stringify(canonicalJob(graphOf(text).jobs.find((job) => job.id === id)!, fixture));

describe('execution graph', () => {
  it('is plain JSON in the order of the pipeline, named after its file', () => {
    const graph = graphOf('pretrain → sft(lora r=8 targets=q,v) → rm → ppo');
    expect(JSON.parse(JSON.stringify(graph))).toEqual(graph);
    expect(graph.format).toBe(1);
    expect(graph.pipeline).toBe('main');
    expect(graph.jobs.map(({ id }) => id)).toEqual(['pretrain', 'sft', 'rm', 'ppo']);
  });

  it('has every option with its value and every default with its origin', () => {
    const [, sft] = graphOf('param seed: int = 3\npretrain → sft(lora r=4; epochs=2)').jobs;
    expect(sft!.method).toEqual({
      name: 'lora',
      options: { r: 4, alpha: 8, dropout: 0, targets: ['q', 'v'] },
    });
    expect(sft!.options).toMatchObject({ epochs: 2, seed: 3, lr: 1e-3, overlong: 'error' });
    expect(sft!.data).toMatchObject({
      data: { source: { name: 'convention', options: { stage: 'sft' } }, directory: '.' },
    });
    expect(sft!.defaults).toContainEqual({ path: 'sft.alpha', value: 8, from: 'method default: 2 × r' });
    expect(sft!.defaults).toContainEqual({ path: 'sft.seed', value: 3, from: 'param seed (dir/main.ftp:1)' });
    expect(sft!.defaults).toContainEqual({
      path: 'sft.max_steps',
      value: 'what the data give',
      from: 'stage default',
    });
    expect(sft!.defaults).toContainEqual({
      path: 'sft.template',
      value: 'built-in',
      from: 'built-in template',
    });
    expect(sft!.defaults.some(({ path }) => path === 'sft.epochs' || path === 'sft.method')).toBe(false);
    expect(sft!.spans.epochs).toMatchObject({ file: 'dir/main.ftp', line: 2, column: 26 });
  });

  it('fills each slot from the nearest earlier stage that writes it', () => {
    const jobs = graphOf('pretrain → sft → rm → second: sft(lora) → ppo → eval').jobs;
    const inputs = (id: string) =>
      Object.fromEntries(jobs.find((job) => job.id === id)!.inputs.map(({ slot, from }) => [slot, from]));
    expect(inputs('ppo')).toEqual({ policy: 'second', reward: 'rm', tokenizer: 'pretrain' });
    expect(inputs('eval')).toEqual({ policy: 'ppo', tokenizer: 'pretrain', reward: 'rm' });
  });

  it('gives a gate the metrics that its conditions ask for', () => {
    const text = 'pretrain → a: eval → b: eval → gate(a.loss < 4 perplexity < 9 b.loss >= 1%)'.replace(
      'perplexity',
      'b.perplexity',
    );
    const gate = graphOf(text).jobs.at(-1)!;
    expect(gate.inputs).toEqual([
      { slot: 'metrics', from: 'a' },
      { slot: 'metrics', from: 'b' },
    ]);
    expect(
      gate.conditions.map(({ text: written, job, metric, comparison, value }) => [
        written,
        job,
        metric,
        comparison,
        value,
      ]),
    ).toEqual([
      ['a.loss < 4', 'a', 'loss', '<', 4],
      ['b.perplexity < 9', 'b', 'perplexity', '<', 9],
      ['b.loss >= 1%', 'b', 'loss', '>=', 0.01],
    ]);
  });

  it('takes a profile for the whole file: it may name stages of a pipeline that is not chosen', () => {
    const text =
      'pipeline one = pretrain\npipeline two = pretrain → sft(lora r=8)\nprofile fast { sft.epochs = 5 }';
    const of = (pipeline: string, set: { path: string; value: string }[] = []) =>
      compile({ path: 'main.ftp', text }, { catalog: fixture, profile: 'fast', pipeline, set });
    expect(of('one').diagnostics).toEqual([]);
    expect(of('two').graph!.jobs[1]!.options.epochs).toBe(5);
    expect(of('one', [{ path: 'sft.epochs', value: '2' }]).diagnostics).toMatchObject([
      { code: 'FTP2018', message: '`sft.epochs` sets nothing: no stage `sft`' },
    ]);
  });

  it('lets --set win over a profile, a profile over the text', () => {
    const text =
      'pretrain → sft(lora r=8; lr=1e-4 epochs=2)\nprofile fast { sft.lr = 2e-4 sft.r = 2 *.epochs = 5 }';
    const { graph } = compile(
      { path: 'x.ftp', text },
      { catalog: fixture, profile: 'fast', set: [{ path: 'sft.lr', value: '3e-4' }] },
    );
    const sft = graph!.jobs[1]!;
    expect(sft.options).toMatchObject({ lr: 3e-4, epochs: 5 });
    expect(sft.method!.options.r).toBe(2);
    expect(graph!.jobs[0]!.options.epochs).toBe(5);
  });

  it('takes what --set gives as text where it is no value of the language', () => {
    const { jobs } = graphOf('pretrain → export(to=x)', [{ path: 'export.to', value: 'my models/a b' }]);
    expect(jobs[1]!.options.to).toBe('my models/a b');
  });

  it('is broken where an input does not come before', () => {
    const { jobs, ...rest } = graphOf('pretrain → sft');
    expect(verifyGraph({ ...rest, jobs })).toEqual([]);
    expect(verifyGraph({ ...rest, jobs: [...jobs].reverse() })).toContain(
      'sft reads policy of pretrain, which does not come before it',
    );
    expect(verifyGraph({ ...rest, jobs: [...jobs, jobs[0]!] })).toEqual(['two jobs are called pretrain']);
  });
});

describe('canonical job', () => {
  const base = 'data rows = jsonl("a.jsonl")\npretrain → sft(lora r=8; data=rows lr=1e-4)';

  it('does not know names, comments, spelling or cosmetic options', () => {
    const same = [
      '# comment\ndata 行 = jsonl("a.jsonl")\npretrain → sft(lora r=8; data=行 lr=0.1e-3)',
      'data rows = jsonl("renamed.jsonl")\npretrain → sft(lr=1e-4 data=rows save_every=3h lora)',
    ];
    for (const text of same) expect(key(text, 'sft')).toBe(key(base, 'sft'));
    expect(key(base.replace('sft', 'doctor: sft'), 'doctor')).toBe(key(base, 'sft'));
  });

  it('knows everything that changes numbers', () => {
    const other = [
      base.replace('r=8', 'r=9'),
      base.replace('lr=1e-4', 'lr=2e-4'),
      base.replace('lora', 'qlora'),
      base.replace('jsonl("a.jsonl")', 'jsonl("a.jsonl") → sample(5)'),
      base.replace('jsonl', 'csv'),
      base.replace('data=rows', 'data=rows template="{{ x }}"'),
      `param seed: int = 9\n${base}`,
    ];
    const keys = other.map((text) => key(text, 'sft'));
    expect(new Set([...keys, key(base, 'sft')]).size).toBe(other.length + 1);
  });

  it('knows conditions by their input, not by a label', () => {
    const gate = (label: string, bound: number) =>
      key(`pretrain → ${label}: eval → gate(${label}.loss < ${bound})`, 'gate');
    expect(gate('a', 3)).toBe(gate('b', 3));
    expect(gate('a', 3)).not.toBe(gate('a', 4));
    expect(JSON.parse(gate('a', 3)).conditions).toEqual([
      { comparison: '<', input: 0, metric: 'loss', value: 3 },
    ]);
  });
});

describe('drawings', () => {
  const text = 'pretrain → quick: eval → gate(quick.loss <= 3) → 微调: sft(lora)';

  it('as Mermaid', () => {
    expect(emitMermaid(graphOf(text))).toBe(`flowchart LR
  s1["pretrain<br/>llama<br/>full"]
  s2["quick: eval"]
  s3{"gate<br/>quick.loss &lt;= 3"}
  s4["微调: sft<br/>lora"]
  s1 -->|"policy, tokenizer"| s2
  s2 -->|"metrics"| s3
  s1 -->|"policy, tokenizer, template"| s4
  s3 -.-> s4
`);
  });

  it('as a Graphviz graph', () => {
    expect(emitDot(graphOf(text))).toBe(`digraph "main" {
  rankdir=LR;
  node [shape=box, fontname="sans-serif"];
  "pretrain" [label="pretrain\\nllama\\nfull"];
  "quick" [label="quick: eval"];
  "gate" [label="gate\\nquick.loss <= 3", shape=diamond];
  "微调" [label="微调: sft\\nlora"];
  "pretrain" -> "quick" [label="policy, tokenizer"];
  "quick" -> "gate" [label="metrics"];
  "pretrain" -> "微调" [label="policy, tokenizer, template"];
  "gate" -> "微调" [label="", style=dashed];
}
`);
  });
});
