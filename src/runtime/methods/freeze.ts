/** `freeze`: some blocks and parts are trained, the rest stays as it is. */
import type { Json } from '../../compiler/catalog.ts';
import type { ModelPart } from '../models/model.ts';
import { chosenBlocks } from './chosen-blocks.ts';
import { type Method, MethodError, type MethodTarget } from './method.ts';

const PARTS = ['attention', 'mlp', 'norms', 'embeddings', 'head'] as const satisfies readonly ModelPart[];
const DEFAULT_PARTS: readonly ModelPart[] = ['attention', 'mlp', 'norms'];
const OTHER_NAMES: Readonly<Record<string, ModelPart>> = {
  attn: 'attention',
  self_attn: 'attention',
  embed: 'embeddings',
  embed_tokens: 'embeddings',
  wte: 'embeddings',
  lm_head: 'head',
};
const DEFAULT_LAYERS = 2;

const isInBlocks = (part: ModelPart): boolean => part !== 'embeddings' && part !== 'head';

export const freeze: Method = {
  entry: {
    name: 'freeze',
    summary: 'trains the last blocks of the model, the rest stays as it is',
    details: [
      '`layers=2` trains the last two blocks and the final norm; `layers=-2` trains the first two blocks. What is frozen has',
      'no gradient and no optimizer state, and there is no backward pass below the lowest trained weight: the last blocks',
      'are the cheap ones, the first ones need a gradient through all that follows. Where `sft`, `rm` or',
      '`pretrain(packing=false)` sees its rows in more than one epoch, the frozen blocks below are computed once for every',
      'row and kept, in memory or in a file. (Packed windows begin elsewhere in every epoch, and are computed each time.)',
      '',
      '`parts` chooses among what is trained: attention, mlp and norms of the chosen blocks (norms: also the final norm,',
      'where the last blocks are trained), embeddings (tokens, and positions where they are learned), head (the output',
      'layer). By default embeddings and head stay frozen. `layers=0` leaves every block frozen: `layers=0 parts=head`.',
      'Where the head is the token embedding, `embeddings` trains both uses of it.',
    ].join('\n'),
    example: 'pretrain → sft(freeze layers=1)',
    options: {
      parts: {
        description: 'what is trained: parts of these blocks, the embeddings, the head',
        type: 'array',
        items: { type: 'string', enum: PARTS, otherNames: OTHER_NAMES },
        minItems: 1,
        uniqueItems: true,
        default: DEFAULT_PARTS,
      },
      layers: {
        description: 'blocks to train, counted from the last; negative: from the first; 0: none',
        type: 'integer',
        unit: 'count',
        defaultNote: `${DEFAULT_LAYERS}`,
        computedDefault: ({ parts }) => (partsOf(parts).some(isInBlocks) ? DEFAULT_LAYERS : undefined),
        withoutEffect: ({ parts }, _, value) =>
          value === 0 || partsOf(parts).some(isInBlocks)
            ? undefined
            : {
                beside: `parts=${partsOf(parts).join(',')}`,
                note: '`layers` chooses among blocks, and embeddings and head are in none',
              },
      },
    },
  },
  apply(target, options) {
    const layers = Number(options.layers ?? DEFAULT_LAYERS);
    const parts = partsOf(options.parts);
    return {
      trainable: trainedWeights(target, layers, parts),
      added: [],
      rewrite: (program) => program,
      dropout: [],
    };
  },
};

const partsOf = (value: Json | undefined): readonly ModelPart[] =>
  (value === undefined ? DEFAULT_PARTS : Array.isArray(value) ? value : [value]) as readonly ModelPart[];

/** Names in the model's order. Errors: MethodError where a part has nothing to train. */
function trainedWeights(
  { parameters, blocks }: MethodTarget,
  layers: number,
  parts: readonly ModelPart[],
): string[] {
  const needsBlocks = parts.find((part) => part === 'attention' || part === 'mlp');
  const hasHead = parameters.some(({ part }) => part === 'head');
  if (layers === 0 && needsBlocks !== undefined) {
    throw new MethodError('layers', `no block would be trained, and so no ${needsBlocks}`, [
      'use a number other than 0',
      hasHead
        ? 'choose other parts: `layers=0 parts=norms,head` trains the final norm and the head'
        : 'choose other parts: `layers=0 parts=norms` trains the final norm; the head of this model is its token embedding, `parts=norms,embeddings`',
    ]);
  }
  if (parts.includes('head') && !hasHead) {
    throw new MethodError(
      'parts',
      'the head of this model is its token embedding',
      ['write `embeddings`, which trains both; a gradient through every block comes with it'],
      'head',
    );
  }
  const chosen = new Set(layers === 0 ? [] : chosenBlocks(blocks, layers).flat());
  const inBlocks = new Set(blocks.flat());
  return parameters.flatMap(({ name, part }) => {
    if (part === undefined || !parts.includes(part)) return [];
    const isFinalNorm = part === 'norms' && !inBlocks.has(name);
    const trained = inBlocks.has(name) ? chosen.has(name) : !isFinalNorm || layers >= 0;
    return trained ? [name] : [];
  });
}
