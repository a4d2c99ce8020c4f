import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { preferenceOf, promptCompletionOf, promptOf } from '../../src/runtime/data/shapes.ts';
import { rowsOf } from './compile-pipeline.ts';
import { pipelines } from './generated.ts';

const closings = /(I hope that helps!|Ask me more any time!)$/;

/** The facts of the small world, as the answers state them. */
async function statements(): Promise<Map<string, Set<string>>> {
  const stated = new Map<string, Set<string>>();
  for (const row of await rowsOf('quickstart.ftp', 'sft', 'all')) {
    const example = promptCompletionOf(row);
    if (example.kind !== 'chat') throw new Error('a row is no conversation');
    const answer = example.messages.at(-1)!.content.replace(closings, '').trim();
    const subject = /^(The (?:friend of the )?\w+ \w+)/.exec(answer)![1]!;
    stated.set(subject, (stated.get(subject) ?? new Set()).add(answer));
  }
  return stated;
}

describe('the data of quickstart', () => {
  it('lie beside the file by convention, some of each held out', async () => {
    for (const stage of ['pretrain', 'sft', 'rm', 'ppo']) {
      const [train, test] = [
        await rowsOf('quickstart.ftp', stage, 'train'),
        await rowsOf('quickstart.ftp', stage, 'test'),
      ];
      expect(train.length, stage).toBeGreaterThan(test.length);
      expect(test.length, stage).toBeGreaterThan(0);
    }
  });

  it('state one thing about each animal and topic, which the stories tell as well', async () => {
    const stated = await statements();
    expect(stated.size).toBe(48);
    const stories = readFileSync(join(pipelines, 'data/pretrain.txt'), 'utf8');
    for (const [subject, answers] of stated) {
      expect([...answers], subject).toHaveLength(1);
      expect(stories.split([...answers][0]!).length, subject).toBeGreaterThan(20);
    }
  });

  it('reward polite answers: chosen ones close politely, rejected ones do not', async () => {
    for (const row of await rowsOf('quickstart.ftp', 'rm', 'all')) {
      const pair = preferenceOf(row);
      if (pair.kind !== 'chat') throw new Error('a row is no conversation');
      expect(pair.chosen[0]!.content).toMatch(closings);
      expect(pair.rejected[0]!.content).not.toMatch(closings);
    }
  });

  it('leave ppo something to find: a minority of sft answers is polite', async () => {
    const rows = await rowsOf('quickstart.ftp', 'sft', 'all');
    const polite = rows.filter((row) => {
      const example = promptCompletionOf(row);
      return example.kind === 'chat' && closings.test(example.messages.at(-1)!.content);
    });
    expect(polite.length / rows.length).toBeGreaterThan(0.15);
    expect(polite.length / rows.length).toBeLessThan(0.35);
    for (const row of await rowsOf('quickstart.ftp', 'ppo', 'all')) expect(promptOf(row).kind).toBe('chat');
  });
});
