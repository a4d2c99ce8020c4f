/** The policy where the user wants it: one whole model, also in four bits, or the last adapter. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type WrittenTensor, writeSafetensors } from '../checkpoints/safetensors.ts';
import type { ExportForm, Policy } from '../stages/stage.ts';
import { StageError } from '../stages/stage.ts';
import { storeError } from '../store/store-error.ts';
import { ADAPTER_FILES, BASE_LINK, type Link, type PolicyLoader, WHOLE } from './policies.ts';
import { bytesOfTensor, quantizedExport } from './quantized-export.ts';
import { FILES_BESIDE, writeBeside, writeJson } from './save-policy.ts';

/** What was written, and words about it for the log. */
export interface Exported {
  readonly files: readonly string[];
  readonly note?: string;
}

/**
 * Errors: StageError where an adapter is asked for and the artifact is a whole model; StoreError where the files cannot be
 * written.
 */
export async function exportPolicy(
  target: string,
  { as, quantized }: ExportForm,
  base: string,
  loader: PolicyLoader,
): Promise<Exported> {
  const policy = await loader.policy(base);
  const source = loader.directory(base);
  if (as === 'adapter' && !existsSync(join(source, ADAPTER_FILES[0])))
    throw new StageError(
      'stage-failed',
      'the policy that reaches this stage is a whole model, not an adapter',
      { option: 'as', help: ['write `as=merged`'] },
    );
  const whole = quantized === undefined ? undefined : quantizedExport(policy, quantized);
  try {
    await mkdir(target, { recursive: true });
    await writeBeside(target, whole ? { ...policy, config: whole.config } : policy);
    // What an export of the other kind left here would be taken for this one.
    for (const file of as === 'merged' ? ADAPTER_EXPORT : [WHOLE])
      await rm(join(target, file), { force: true });
    if (as === 'merged') await writeSafetensors(join(target, WHOLE), whole?.tensors ?? wholeTensors(policy));
    else {
      for (const file of ADAPTER_FILES) await copyFile(join(source, file), join(target, file));
      const link = JSON.parse(await readFile(join(source, BASE_LINK), 'utf8')) as Link;
      await writeJson(target, BASE_LINK, { ...link, base: relative(target, loader.directory(link.base)) });
    }
  } catch (error) {
    throw storeError(error, target);
  }
  return {
    files: [...FILES_BESIDE, ...(as === 'merged' ? [WHOLE] : ADAPTER_EXPORT)],
    ...(whole && { note: whole.note }),
  };
}

/** An exported adapter, and where ftc finds its base: in the store. */
const ADAPTER_EXPORT = [...ADAPTER_FILES, BASE_LINK];

/** Read one by one as they are written. */
function wholeTensors({ weights, family, config }: Policy): Map<string, WrittenTensor> {
  const shapes = new Map(family.parameters(config).map((spec) => [spec.name, spec.shape]));
  return new Map([...weights.keys()].map((name) => [name, bytesOfTensor(weights, name, shapes.get(name)!)]));
}
