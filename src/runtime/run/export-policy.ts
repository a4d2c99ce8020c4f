/** The model where the user wants it: written beside its place, opened again and compared, and only then given its name. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ggufRounded } from '../gguf/open-gguf.ts';
import type { ModelConfig } from '../models/model.ts';
import { isGgufPath } from '../stages/export-options.ts';
import type { ExportForm, ExportResult, Policy, Reward, StageContext } from '../stages/stage.ts';
import { writeFileAtomically } from '../store/atomic-file.ts';
import { storeError } from '../store/store-error.ts';
import { conversationFor, type Spoken } from './conversation.ts';
import { numbersOf, type WrittenFiles, writeAdapter, writeWhole } from './export-files.ts';
import { ggufName, ggufTypeOf, openGgufExport, writeGgufExport } from './export-gguf.ts';
import { answersOfOnnx, writeOnnx } from './export-onnx.ts';
import { ExportTarget } from './export-target.ts';
import type { Lineage } from './lineage.ts';
import { lacksTokenizer } from './missing-tokenizer.ts';
import { type CardFacts, modelCard } from './model-card.ts';
import {
  type Answers,
  answersOf,
  type Parity,
  requireParity,
  requireTrained,
  type Written,
} from './parity.ts';
import { EXACT, toleranceOf } from './parity-tolerances.ts';
import { type PolicyLoader, readConfigAndTokenizer, readPolicy, readReward } from './policies.ts';
import { asExported } from './quantized-export.ts';
import { readTrainedAnswers } from './trained-answers.ts';

export interface ExportSources {
  /** Hash of the policy's artifact, or the reward model's. */
  readonly artifact: string;
  readonly loader: PolicyLoader;
  readonly load: StageContext['load'];
  /** The stages that made the model, for its card. */
  readonly lineage: () => Promise<Lineage>;
}

/** What an export left, with the names of its files. */
export interface Exported extends ExportResult {
  readonly files: readonly string[];
}

/**
 * Errors: StageError where an adapter is asked for and the artifact is a whole model, where files of others stand at the
 * target, and where what was written is not the model in the run; StoreError where the files cannot be written.
 */
export async function exportPolicy(
  path: string,
  form: ExportForm,
  sources: ExportSources,
): Promise<Exported> {
  const { artifact, loader } = sources;
  const model: Policy | Reward = await loader[form.what](artifact);
  try {
    const target = await ExportTarget.open(path, form.overwrite);
    try {
      const written = await write(target, model, form, sources);
      const parity = await compare(target.staging, model, form, sources);
      const notes = [...written.notes, sentence(parity)];
      const card = isGgufPath(path)
        ? []
        : [await writeCard(target.staging, { ...written, form, model, notes }, sources)];
      const files = [...written.files, ...card];
      const bytes = await bytesOf(target.staging, files);
      await target.commit(files);
      return {
        path,
        files,
        notes,
        metrics: {
          parity_tokens: parity.tokens,
          parity_difference: parity.relative,
          parity_tolerance: parity.tolerance,
          bytes,
        },
      };
    } finally {
      await target.discard();
    }
  } catch (error) {
    throw storeError(error, path);
  }
}

function write(
  target: ExportTarget,
  model: Policy | Reward,
  form: ExportForm,
  { artifact, loader }: ExportSources,
): Promise<WrittenFiles> {
  if (form.format === 'onnx') return writeOnnx(target.staging, model);
  if (form.format === 'gguf') return writeGgufExport(target.staging, model, form);
  if (form.as === 'merged') return writeWhole(target.staging, model, form);
  const places = { staging: target.staging, target: target.path };
  return writeAdapter(places, model, loader.directory(artifact), (base) => loader.directory(base));
}

interface Compared extends Parity {
  /** How far the model is from what it answered when its training ended. */
  readonly trained: number | undefined;
}

/**
 * The model in the run with the one that was trained; what was written with what should be, exactly; and with the model in
 * the run, as far as its number format goes.
 */
async function compare(
  staging: string,
  model: Policy | Reward,
  form: ExportForm,
  { artifact, loader, load }: ExportSources,
): Promise<Compared> {
  const answers = remembered(answersOf(model, load));
  const before = await readTrainedAnswers(loader.directory(artifact));
  const trained = before && (await requireTrained(model, answers, before));
  const written = await opened(staging, model, form, load);
  const dtype = numbersOf(form, model.config);
  const type = form.format === 'gguf' ? ggufTypeOf(form, model.config) : (form.quantized?.format ?? dtype);
  const tolerance = toleranceOf(type);
  if (tolerance > EXACT) {
    const weights =
      form.format === 'gguf'
        ? ggufRounded(model, ggufTypeOf(form, model.config))
        : asExported(model, form.quantized, dtype);
    const expected = { ...model, weights };
    await requireParity(expected, answersOf(expected, load), { ...written, tolerance: EXACT });
  }
  return { ...(await requireParity(model, answers, { ...written, tolerance })), trained };
}

/** What was written, as a program finds it that knows nothing of the run. */
async function opened(
  staging: string,
  model: Policy | Reward,
  form: ExportForm,
  load: StageContext['load'],
): Promise<Omit<Written, 'tolerance'>> {
  const name = basename(form.to);
  if (form.format === 'onnx') {
    const beside = await readConfigAndTokenizer(staging);
    return { name, conversation: conversationOf(beside), answers: answersOfOnnx(staging, beside) };
  }
  if (form.format === 'gguf') {
    const read = openGgufExport(join(staging, ggufName(form, model.config)), model);
    return { name, conversation: conversationOf(read), answers: answersOf(read, load) };
  }
  const read = form.what === 'reward' ? await readReward(staging) : await readPolicy(staging);
  return { name, conversation: conversationOf(read), answers: remembered(answersOf(read, load)) };
}

const conversationOf = (model: Spoken) => (lacksTokenizer(model) ? undefined : conversationFor(model));

function remembered(answers: Answers): Answers {
  let known: Promise<Float32Array> | undefined;
  return (ids) => (known ??= answers(ids));
}

const CARD = 'README.md';

const numbersText = (form: ExportForm, config: ModelConfig): string =>
  form.format === 'gguf' ? ggufTypeOf(form, config) : numbersOf(form, config);

async function writeCard(
  staging: string,
  facts: Pick<CardFacts, 'form' | 'model' | 'notes' | 'baseCodes'>,
  { lineage }: ExportSources,
): Promise<string> {
  const text = modelCard({
    ...facts,
    ...(await lineage()),
    numbers: numbersText(facts.form, facts.model.config),
  });
  await writeFileAtomically(join(staging, CARD), text);
  return CARD;
}

/** `logits that differ by at most 0.0021 of their spread`; up to the tolerance passes. */
function sentence({ tokens, relative, tolerance, trained }: Compared): string {
  const logits =
    relative === 0
      ? 'the same logits, bit for bit'
      : `logits that differ by at most ${relative.toPrecision(2)} of their spread (${tolerance} is the limit)`;
  const folded =
    trained === undefined
      ? ''
      : `; before, the model was within ${trained.toPrecision(2)} of what was trained`;
  return `opened again it gives the same text, the same ${tokens} tokens, and ${logits}${folded}`;
}

async function bytesOf(directory: string, files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(directory, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
