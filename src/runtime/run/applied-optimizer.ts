/** A job's optimizer for the tensors that it trains. */
import type { Job } from '../../compiler/graph/graph.ts';
import { optimizers } from '../catalog.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Surroundings } from '../optimizers/optimizer-kind.ts';

export const appliedOptimizer = ({ options }: Job, made: Surroundings): Optimizer =>
  optimizers[String(options.optimizer)]!.create(options, made);
