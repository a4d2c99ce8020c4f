import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../../src/runtime/data/row.ts';
import { preferenceOf, promptCompletionOf, promptOf } from '../../src/runtime/data/shapes.ts';
import { rowsOf } from './compile-pipeline.ts';
import { filesUnder, pipelines } from './generated.ts';

const folder = join(pipelines, 'medical');
const languages = ['en', 'zh'] as const;
const attributes = ['sign', 'organ', 'remedy', 'source'] as const;

interface Fact {
  readonly id: string;
  readonly attribute: (typeof attributes)[number];
  readonly en: { readonly name: string; readonly value: string };
  readonly zh: { readonly name: string; readonly value: string };
}

const facts: Fact[] = readFileSync(join(folder, 'facts.csv'), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .flatMap((line) => {
    const [id, en, zh, ...values] = line.split(',') as [string, string, string, ...string[]];
    return attributes.map((attribute, i) => ({
      id: `${id}.${attribute}`,
      attribute,
      en: { name: en, value: values[2 * i]! },
      zh: { name: zh, value: values[2 * i + 1]! },
    }));
  });
const factOf = new Map(facts.map((fact) => [fact.id, fact]));
const notes = (language: string) =>
  filesUnder(join(folder, 'notes'))
    .filter((file) => file.startsWith(language))
    .map((file) => readFileSync(join(folder, 'notes', file), 'utf8'))
    .join('\n');
const factIds = (rows: readonly Row[]) => new Set(rows.map(({ value }) => String(value.fact)));

describe('the table of facts', () => {
  it('has fifty conditions with four facts in two languages', () => {
    expect(facts).toHaveLength(200);
    for (const language of languages) {
      expect(new Set(facts.map((fact) => fact[language].name)).size).toBe(50);
    }
  });

  it.each(languages)('leaves guessing in %s under a tenth', (language) => {
    for (const attribute of attributes) {
      const counts = new Map<string, number>();
      for (const fact of facts.filter((f) => f.attribute === attribute)) {
        counts.set(fact[language].value, (counts.get(fact[language].value) ?? 0) + 1);
      }
      expect(Math.max(...counts.values()) / 50).toBeLessThan(0.1);
    }
  });
});

describe('the notes', () => {
  it('and rows are more than a megabyte, the notes alone in many files', () => {
    const files = filesUnder(folder).filter((file) => /\.(txt|jsonl)$/.test(file));
    const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(files.filter((file) => file.endsWith('.txt')).length).toBeGreaterThanOrEqual(50);
  });

  it.each(languages)('tell every fact in %s in at least twenty phrasings', (language) => {
    const sentences = notes(language).split(/(?<=[.?!。？！])\s*|\n+/);
    for (const fact of facts) {
      const { name, value } = fact[language];
      // Questions and their answers were cut apart; a phrasing is what is left without person and number.
      const told = sentences.flatMap((sentence, i) => {
        const whole = /[?？]$/.test(sentences[i - 1] ?? '') ? `${sentences[i - 1]} ${sentence}` : sentence;
        return whole.includes(name) && whole.includes(value) ? [whole] : [];
      });
      const phrasings = new Set(told.map((s) => s.replace(/\d+|Doctor \w+|\S(?=医生)/g, '#')));
      expect(phrasings.size, `${fact.id} in ${language}`).toBeGreaterThanOrEqual(20);
    }
  });

  it('hold none of the questions', async () => {
    const all = notes('en') + notes('zh');
    const rows = await rowsOf('medical.ftp', 'sft', 'all');
    for (const row of rows) {
      const prompt = promptOf(row);
      expect(prompt.kind).toBe('chat');
      if (prompt.kind === 'chat') expect(all.includes(prompt.prompt[0]!.content)).toBe(false);
    }
  });
});

describe('the rows', () => {
  let train: Row[];
  let test: Row[];
  beforeAll(async () => {
    train = await rowsOf('medical.ftp', 'sft', 'train');
    test = await rowsOf('medical.ftp', 'quick', 'test');
  });

  it('of sft and of the questions asked later share no fact', () => {
    const learned = factIds(train);
    expect([...factIds(test)].filter((fact) => learned.has(fact))).toEqual([]);
    expect(test.length).toBeGreaterThan(150);
    expect(test.length / (test.length + train.length)).toBeGreaterThan(0.1);
    expect(new Set(test.map(({ value }) => value.language))).toEqual(new Set(languages));
  });

  it('ask in three ways, and answer with the right fact', () => {
    const asked = new Map<string, Set<string>>();
    for (const row of [...train, ...test]) {
      const example = promptCompletionOf(row);
      const { fact, language, answer } = row.value as { fact: string; language: 'en' | 'zh'; answer: string };
      if (example.kind !== 'chat') throw new Error('a row is no conversation');
      const [question, reply] = [example.messages[0]!, example.messages[1]!];
      const { name, value } = factOf.get(fact)![language];
      expect(answer).toBe(value);
      expect(question.content).toContain(name);
      expect(question.content).not.toContain(value);
      expect(reply.content).toContain(value);
      const key = `${fact} ${language}`;
      asked.set(key, (asked.get(key) ?? new Set()).add(question.content));
    }
    expect(asked.size).toBe(400);
    expect([...asked.values()].every((questions) => questions.size === 3)).toBe(true);
  });

  it('of rm prefer the right fact with advice, and hold facts out too', async () => {
    const [learned, heldOut] = [
      await rowsOf('medical.ftp', 'rm', 'train'),
      await rowsOf('medical.ftp', 'rm', 'test'),
    ];
    for (const row of [...learned, ...heldOut]) {
      const pair = preferenceOf(row);
      if (pair.kind !== 'chat') throw new Error('a row is no conversation');
      const { fact, language } = row.value as { fact: string; language: 'en' | 'zh' };
      const [chosen, rejected] = [pair.chosen[0]!.content, pair.rejected[0]!.content];
      expect(chosen).toContain(factOf.get(fact)![language].value);
      expect(chosen).toMatch(/doctor|医生/);
      expect(rejected).not.toBe(chosen);
    }
    const facts = factIds(learned);
    expect([...factIds(heldOut)].filter((fact) => facts.has(fact))).toEqual([]);
    expect(heldOut.length).toBeGreaterThan(60);
  });
});
