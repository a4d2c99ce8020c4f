/** A job's method on the model that reaches it. */
import type { Job } from '../../compiler/graph/graph.ts';
import { methods } from '../catalog.ts';
import type { AppliedMethod } from '../methods/method.ts';
import type { ModelConfig, ModelFamily } from '../models/model.ts';

/** Errors: MethodError where the options do not fit the model. */
export const appliedMethod =
  ({ method }: Job) =>
  (family: ModelFamily, config: ModelConfig): AppliedMethod =>
    methods[method!.name]!.apply(
      {
        config,
        parameters: family.parameters(config),
        linears: family.linears(config),
        blocks: family.blocks(config),
      },
      method!.options,
    );
