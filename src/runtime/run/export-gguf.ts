/** A model as one GGUF file, and the model that the file holds. */
import { basename, join } from 'node:path';
import { GgufError } from '../gguf/gguf-error.ts';
import { ggufVocabulary, ggufWeights } from '../gguf/open-gguf.ts';
import { readGguf } from '../gguf/read-gguf.ts';
import { writeGguf } from '../gguf/write-gguf.ts';
import type { ModelConfig } from '../models/model.ts';
import { isGgufPath } from '../stages/export-options.ts';
import { type ExportForm, type Policy, StageError } from '../stages/stage.ts';
import { numbersOf, type WrittenFiles } from './export-files.ts';
import { GGUF_MARK } from './gguf-mark.ts';

export type GgufType = NonNullable<ExportForm['gguf']>;

/** As `quant` says, or the model's own numbers; bf16, which these files do not have here, in f32 loses nothing. */
export function ggufTypeOf(form: ExportForm, config: ModelConfig): GgufType {
  const numbers = numbersOf(form, config);
  return form.gguf ?? (numbers === 'f16' ? 'f16' : 'f32');
}

/** The file's name: of `to`, or in that directory one that says its number format. */
export function ggufName(form: ExportForm, config: ModelConfig): string {
  const name = basename(form.to);
  return isGgufPath(name) ? name : `${name}-${ggufTypeOf(form, config)}.gguf`;
}

/** Errors: StageError for what llama.cpp does not compute or would tokenize otherwise. */
export async function writeGgufExport(
  directory: string,
  model: Policy,
  form: ExportForm,
): Promise<WrittenFiles> {
  const file = ggufName(form, model.config);
  try {
    const { notes } = await writeGguf(join(directory, file), model, {
      type: ggufTypeOf(form, model.config),
      name: basename(form.to).replace(/\.gguf$/i, ''),
      metadata: {
        [GGUF_MARK]: 'yes',
        ...(form.license !== undefined && { 'general.license': form.license }),
      },
    });
    return { files: [file], notes };
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    throw new StageError('method-does-not-fit', error.message, {
      option: 'format',
      help: [...error.help, 'write `format=hf`'],
    });
  }
}

/** The model of the file: its own weights, vocabulary and chat template; only the sizes are those of `model`. */
export function openGgufExport(
  path: string,
  { family, config }: Policy,
): Pick<Policy, 'family' | 'config' | 'weights' | 'tokenizer' | 'template'> {
  const template = readGguf(path).metadata.get('tokenizer.chat_template')?.value;
  return {
    family,
    config,
    weights: ggufWeights(path, { family, config }),
    tokenizer: ggufVocabulary(path),
    template: typeof template === 'string' ? template : '',
  };
}
