/** The programs of a stage that trains on rows of a few padded lengths; frozen blocks are passed once where that saves work. */
import { readableBytes } from '../../../compiler/diagnostics/words/words.ts';
import type { Program } from '../../programs/program.ts';
import { prefixOf, suffixOf } from '../../rewrites/cut-prefix.ts';
import { frozenBlocks, keepsPrefix, prefixBytes } from '../parts/frozen-prefix.ts';
import type { Estimate } from '../stage.ts';
import type { MethodSizes } from './sizes.ts';

interface Runs {
  readonly program: Program;
  readonly runs: number;
}

export interface SupervisedWork {
  readonly sizes: MethodSizes;
  /** Heads included. */
  readonly trained: readonly string[];
  /** The longest rows first. */
  readonly training: readonly Runs[];
  readonly measuring: readonly Runs[];
  /** Whether rows are seen more than once in training. */
  readonly repeated: boolean;
  /** Every sequence once, those of evaluations too. */
  readonly once: { readonly tokens: number; readonly batches: number };
  /** Of the model. */
  readonly width: number;
}

export function supervisedWork(spec: SupervisedWork): Pick<Estimate, 'held' | 'work' | 'notes'> {
  const { sizes, trained, training, measuring, repeated, once, width } = spec;
  const { method, treatment, held, notes } = sizes;
  const longest = training[0]!.program;
  const isKept = keepsPrefix(once.tokens, width);
  const frozen = isKept ? frozenBlocks({ method, trained, program: longest, repeated }) : 0;
  const kept = frozen === 0 ? 0 : prefixBytes(once.tokens, width);
  const besides = sizes.besides + kept;
  const stepped = ({ program, runs }: Runs) => ({
    ...treatment,
    program: frozen === 0 ? program : suffixOf(program, frozen),
    runs,
    besides,
  });
  const work = [
    ...measuring.map(stepped),
    ...training.map((one) => ({ ...stepped(one), dropout: true, trainable: trained })),
  ];
  if (frozen === 0) return { held, work, notes };
  const first = { ...treatment, program: prefixOf(longest, frozen), released: true, runs: once.batches };
  const blocks = frozen === 1 ? 'the frozen block' : `the ${frozen} frozen blocks`;
  return {
    held: { ...held, rows: kept },
    work: [first, ...work],
    notes: [...notes, `rows pass ${blocks} once, not every epoch: ${readableBytes(kept)} are kept for it`],
  };
}
