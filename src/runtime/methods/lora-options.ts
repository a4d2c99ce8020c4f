/** The options of `lora`, and what they say. */
import type { Json, OptionSchema } from '../../compiler/catalog.ts';
import { MODULES, TARGETS, type Target } from './lora-targets.ts';
import { MethodError } from './method.ts';

const listOf = (value: Json): readonly Json[] => (Array.isArray(value) ? value : [value]);

const isAmong = (targets: Json | undefined, names: readonly Target[]): boolean =>
  targets !== undefined && listOf(targets).every((target) => (names as readonly Json[]).includes(target));

/** What has no effect where only embedding and output layer get adapters. */
const besideTables = (targets: Json | undefined, note: string) =>
  isAmong(targets, ['embed', 'head']) ? { beside: `targets=${listOf(targets!).join(',')}`, note } : undefined;

const INITIALIZATIONS = ['kaiming', 'gaussian', 'pissa'] as const;

export interface LoraSettings {
  readonly targets: readonly Target[];
  /** One a target. */
  readonly ranks: readonly number[];
  /** Which option the ranks come from. */
  readonly rankOption: 'r' | 'ranks';
  /** Undefined: twice the rank of each adapter. */
  readonly alpha: number | undefined;
  readonly dropout: number;
  readonly rslora: boolean;
  readonly dora: boolean;
  readonly init: (typeof INITIALIZATIONS)[number];
  /** Blocks that get adapters, counted from the last; negative: from the first. Undefined: all. */
  readonly layers: number | undefined;
}

export const loraOptions = {
  targets: {
    description: 'what gets an adapter: linear layers, embed (the token embedding), head (the output layer)',
    type: 'array',
    items: { type: 'string', enum: TARGETS, otherNames: MODULES },
    minItems: 1,
    uniqueItems: true,
    default: ['q', 'v'],
  },
  ranks: {
    description: 'ranks of the adapters where they differ: one a target, in the order of `targets`',
    type: 'array',
    items: { type: 'integer', minimum: 1, unit: 'count' },
    minItems: 1,
    defaultNote: 'r for every target',
    computedDefault: () => undefined,
  },
  r: {
    description: 'rank of the adapters',
    type: 'integer',
    minimum: 1,
    unit: 'count',
    defaultNote: '8',
    computedDefault: ({ ranks }) => (ranks === undefined ? 8 : undefined),
    withoutEffect: ({ ranks }) =>
      ranks === undefined ? undefined : { beside: 'ranks', note: '`ranks` gives every target its rank' },
  },
  alpha: {
    description: 'strength: the adapter is multiplied with alpha / r',
    type: 'number',
    exclusiveMinimum: 0,
    defaultNote: '2 × r',
    computedDefault: ({ r }) => (r === undefined ? undefined : 2 * Number(r)),
  },
  dropout: {
    description: "probability of dropping an element of the adapters' input",
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    unit: 'ratio',
    default: 0,
    withoutEffect: ({ targets }, _, value) =>
      value === 0
        ? undefined
        : besideTables(targets, 'dropout reaches neither the embedding nor the output layer'),
  },
  rslora: {
    description: 'multiply with alpha / √r instead of alpha / r',
    type: 'boolean',
    default: false,
  },
  dora: {
    description: 'train the length of each output row of the weight apart from its direction',
    type: 'boolean',
    default: false,
  },
  init: {
    description:
      'start values: A uniform (kaiming) or normal and B zero, or both from the singular vectors of W',
    type: 'string',
    enum: INITIALIZATIONS,
    defaultNote: 'kaiming',
    computedDefault: ({ targets }) => (isAmong(targets, ['embed']) ? undefined : 'kaiming'),
    withoutEffect: ({ targets }) =>
      isAmong(targets, ['embed'])
        ? { beside: 'targets=embed', note: 'the adapter of an embedding starts with A zero and B normal' }
        : undefined,
  },
  layers: {
    description: 'blocks that get adapters, counted from the last; negative: from the first',
    type: 'integer',
    unit: 'count',
    defaultNote: 'all',
    computedDefault: () => undefined,
    withoutEffect: ({ targets }) =>
      besideTables(targets, '`layers` chooses among blocks, and embed and head are in none'),
  },
} as const satisfies { readonly [name: string]: OptionSchema };

/** Errors: MethodError where there is not a rank for every target. */
export function loraSettings(options: Readonly<Record<string, Json>>): LoraSettings {
  const targets = listOf(options.targets ?? loraOptions.targets.default) as Target[];
  const given = options.ranks === undefined ? undefined : listOf(options.ranks).map(Number);
  if (given !== undefined && given.length !== targets.length) {
    throw new MethodError('ranks', `there are ${targets.length} targets and ${given.length} ranks`, [
      `give one rank a target, in this order: ${targets.join(', ')}`,
    ]);
  }
  const r = Number(options.r ?? 8);
  return {
    targets,
    ranks: given ?? targets.map(() => r),
    rankOption: given === undefined ? 'r' : 'ranks',
    alpha: options.alpha === undefined ? undefined : Number(options.alpha),
    dropout: Number(options.dropout ?? 0),
    rslora: options.rslora === true,
    dora: options.dora === true,
    init: (options.init ?? 'kaiming') as LoraSettings['init'],
    layers: options.layers === undefined ? undefined : Number(options.layers),
  };
}
