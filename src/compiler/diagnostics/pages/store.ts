/** Pages of FTP7nnn, FTP8nnn and FTP9nnn. */
import { page } from './page.ts';

const any = 'pretrain → sft(lora r=8)';

export const storePages = {
  'other-store-version': page(
    `The directory \`.ftc\` was made by an ftc with another format of the store. It is not touched. Use the version that
    made it, or choose another directory with \`--store\`. Exit code 5.`,
    any,
    any,
  ),
  'store-in-use': page(
    `One run at a time writes to a store; another one holds it now. Wait for it, or give this run a store of its own with
    \`--store\`. The lock of a run that has died is taken over by itself. Exit code 5.`,
    any,
    any,
  ),
  'stale-plan': page(
    `A saved plan is run exactly as it was shown. The pipeline, its data or ftc itself have changed since it was made, so it would
    not be the same any more. Make a new one with \`ftc plan FILE --out PLAN\`. A data file that changes while a stage reads it is this
    problem too. Exit code 5.`,
    any,
    any,
  ),
  'broken-artifact': page(
    `What is in the store does not have the hash under which it was kept: the disk is damaged, or a program changed the file.
    \`ftc clean\` removes it, and the stage that made it runs again.`,
    any,
    any,
  ),
  'broken-checkpoint': page(
    `A checkpoint of an unfinished stage cannot be read. It is written as a whole or not at all, so the file was changed later. The
    stage starts again without it.`,
    any,
    any,
  ),
  'not-a-plan': page(
    `The file is not a plan, or one of another version of ftc. Plans are made with \`ftc plan FILE --out PLAN\`.`,
    any,
    any,
  ),
  'unknown-reporter': page(
    `\`--reporter NAME[=FILE]\` names a reporter that there is not. The message lists them.`,
    any,
    any,
  ),
  'reporter-failed': page(
    `A reporter could not write its report. The run is not concerned and goes on.`,
    any,
    any,
  ),
  internal: page(
    `Something happened that must not happen: a bug in ftc, not in your pipeline. Please report it, with the pipeline file
    and the output of the same command with \`-v\`. Exit code 70.`,
    any,
    any,
  ),
};
