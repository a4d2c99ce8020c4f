/** `freeze`: a few blocks are trained, the rest stays as it is. */
import { type Method, MethodError } from './method.ts';

export const freeze: Method = {
  entry: {
    name: 'freeze',
    summary: 'trains the last blocks of the model, the rest stays as it is',
    details: [
      '`layers=2` trains the last two blocks and the final norm; `layers=-2` trains the first two blocks. Embeddings and',
      'head stay frozen. No gradient is computed below the lowest trained block, so the last blocks are the cheap ones.',
    ].join('\n'),
    example: 'pretrain → sft(freeze layers=1)',
    options: {
      layers: {
        description: 'blocks to train, counted from the last; negative: from the first',
        type: 'integer',
        unit: 'count',
        default: 2,
      },
    },
  },
  apply({ parameters, blocks }, options) {
    const layers = Number(options.layers ?? 2);
    if (layers === 0)
      throw new MethodError('layers', 'no block would be trained', ['use a number other than 0']);
    if (Math.abs(layers) > blocks.length) {
      throw new MethodError('layers', `the model has ${blocks.length} blocks, not ${Math.abs(layers)}`);
    }
    const chosen = layers > 0 ? blocks.slice(-layers) : blocks.slice(0, -layers);
    const inBlocks = new Set(blocks.flat());
    // What stands outside the blocks and is one-dimensional is the final norm; embeddings and head are tables.
    const norm = parameters.filter((spec) => !inBlocks.has(spec.name) && spec.shape.length === 1);
    return {
      trainable: [...chosen.flat(), ...(layers > 0 ? norm.map((spec) => spec.name) : [])],
      added: [],
      rewrite: (program) => program,
      dropout: [],
    };
  },
};
