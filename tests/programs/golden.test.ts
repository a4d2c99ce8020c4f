/**
 * What every method makes of a tiny model's step: the pipeline, then the program as the method has it, what the passes
 * count, and what the gradients add in the end. UPDATE_GOLDEN=1 writes what comes out, to be read before it is committed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compile } from '../../src/compiler/compile.ts';
import { catalog } from '../../src/runtime/catalog.ts';
import { printProgram } from '../../src/runtime/programs/print.ts';
import { nodesOf, type Program } from '../../src/runtime/programs/program.ts';
import type { PassRun } from '../../src/runtime/run/program-passes.ts';
import { programSize } from '../../src/runtime/run/program-size.ts';
import { stagePasses } from '../../src/runtime/run/stage-programs.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const directory = join(import.meta.dirname, 'golden');
/** Stands above each section of a file but the first, with the section's name behind it. */
const rule = /^={10}.*\n/m;
/** Lines of one program that a person still reads. */
const readable = 150;

const data = {
  'notes.txt': 'the quick brown fox jumps over the lazy dog\n',
  'rows.jsonl': `${JSON.stringify({ prompt: 'a', completion: 'b' })}\n`.repeat(20),
};

/** Without the gradients: what the engine computes where nothing is trained. */
const forwardOf = ({ name, outputs }: Program): Program => ({
  name,
  outputs: new Map([...outputs].filter(([output]) => !output.startsWith('grad:'))),
});

/** The lines of the program that its gradients alone need. */
function gradientLines(program: Program): string {
  const forward = nodesOf(forwardOf(program)).length;
  const lines = printProgram(program).split('\n');
  return lines.filter((line, i) => i > forward && !/^ {2}(loss|correct|entropy) <- /.test(line)).join('\n');
}

const figures = (runs: readonly PassRun[]): string =>
  runs
    .map(({ pass, after }) => {
      const { nodes, parameters, weightBytes } = programSize(after);
      return `${pass.name}: ${nodes} nodes, ${parameters} parameters in ${weightBytes} bytes\n`;
    })
    .join('');

async function resultOf(source: string): Promise<Readonly<Record<string, string>>> {
  const file = join(temporaryDirectory(data), 'tiny.ftp');
  const { graph, diagnostics } = compile({ path: file, text: source }, { catalog });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const runs = await stagePasses({ graph: graph!, file, stage: 'sft' });
  const quantized = runs.find(({ pass }) => pass.name === 'quantize')!;
  return {
    'after quantize': printProgram(quantized.after),
    passes: figures(runs),
    'gradients, after the last pass': gradientLines(runs.at(-1)!.after),
  };
}

test.each(readdirSync(directory))('%s', async (file) => {
  const path = join(directory, file);
  const text = readFileSync(path, 'utf8');
  const [source = ''] = text.split(rule);
  const sections = Object.entries(await resultOf(source));
  for (const [, lines] of sections) expect(lines.split('\n').length).toBeLessThanOrEqual(readable);
  const actual = source + sections.map(([name, lines]) => `========== ${name}\n${lines}`).join('');
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, actual);
  else expect(actual).toBe(text);
});
