/** Adafactor: of a matrix's second moment, only the means of its rows and columns. */
import type { Shape } from '../programs/ops.ts';
import { elementsOf } from './chain.ts';
import { type Optimizer, requireSameSize } from './optimizer.ts';
import { decayOption, decaysIn, type OptimizerKind, weightDecayOption } from './optimizer-kind.ts';

export interface AdafactorOptions {
  /** Of every trained tensor. The last dimension counts as columns, the others together as rows. */
  readonly shapes: ReadonlyMap<string, Shape>;
  /** Decay of the first moment; 0 keeps none. Default 0. */
  readonly beta1?: number;
  /** The decay of the second moment at step t is 1 − t^−decayRate. Default 0.8. */
  readonly decayRate?: number;
  /** Added to squared gradients. Default 1e-30. */
  readonly epsilon?: number;
  /** Largest root mean square of a tensor's update. Default 1. */
  readonly updateClip?: number;
  /** Multiply the learning rate with the root mean square of the tensor, at least 1e-3. */
  readonly scaleParameter?: boolean;
  readonly weightDecay?: number;
  readonly decays?: (name: string) => boolean;
}

/** Smallest root mean square of a tensor that `scaleParameter` multiplies with. */
const SMALLEST_SCALE = 1e-3;

const isMatrix = (shape: Shape): boolean => shape.length >= 2;

/**
 * Matrices: r ← β r + (1 − β) · row means of g² + ε, c likewise of columns; v = r c / mean(r). Vectors keep all of v.
 * u = g / √v, divided by max(1, rms(u) / updateClip); m ← β₁ m + (1 − β₁) u; parameter −= lr · (m + decay · parameter).
 * @see https://arxiv.org/abs/1804.04235 algorithms 4 and 5
 */
export function adafactor(options: AdafactorOptions): Optimizer {
  const { shapes, beta1 = 0, decayRate = 0.8, epsilon = 1e-30, updateClip = 1 } = options;
  const { scaleParameter = false, weightDecay = 0, decays = () => true } = options;
  const shapeOf = (name: string): Shape => {
    const shape = shapes.get(name);
    if (shape === undefined) throw new Error(`the shape of ${name} is not known`);
    return shape;
  };
  const layout = (name: string, shape: Shape): [string, number][] => {
    const columns = shape.at(-1) ?? 1;
    const elements = elementsOf(shape);
    const second: [string, number][] = isMatrix(shape)
      ? [
          [`r:${name}`, elements / columns],
          [`c:${name}`, columns],
        ]
      : [[`v:${name}`, elements]];
    return beta1 > 0 ? [[`m:${name}`, elements], ...second] : second;
  };

  return {
    initialize(parameters) {
      const sizes = [...parameters.keys()].flatMap((name) => layout(name, shapeOf(name)));
      return { step: 0, moments: new Map(sizes.map(([key, size]) => [key, new Float32Array(size)])) };
    },
    update(parameters, gradients, state, learningRate) {
      const moment = { beta2: 1 - (++state.step) ** -decayRate, epsilon };
      for (const [name, parameter] of parameters) {
        const gradient = gradients.get(name);
        if (gradient === undefined) continue;
        requireSameSize(name, parameter, gradient);
        const kept = (letter: string) => state.moments.get(`${letter}:${name}`) as Float32Array;
        const { ofRows, ofColumns } = isMatrix(shapeOf(name))
          ? factored(gradient, kept('r'), kept('c'), moment)
          : whole(gradient, kept('v'), moment);
        const shrink = 1 / Math.max(1, updateSize(gradient, ofRows, ofColumns) / updateClip);
        const scale = scaleParameter ? Math.max(SMALLEST_SCALE, rootMeanSquare(parameter)) : 1;
        const rate = learningRate * scale;
        const decay = decays(name) ? weightDecay * learningRate : 0;
        const first = beta1 > 0 ? kept('m') : undefined;
        const width = ofColumns.length;
        for (let row = 0, i = 0; row < ofRows.length; row++) {
          const ofRow = ofRows[row]! * shrink;
          for (let column = 0; column < width; column++, i++) {
            let u = gradient[i]! * ofRow * ofColumns[column]!;
            if (first) first[i] = u = beta1 * first[i]! + (1 - beta1) * u;
            const w = parameter[i]!;
            parameter[i] = w - rate * u - decay * w;
          }
        }
      }
    },
    stateBytes(given) {
      const sizes = [...given].flatMap(([name, shape]) => layout(name, shape));
      return { memory: 4 * sizes.reduce((total, [, size]) => total + size, 0), file: 0 };
    },
  };
}

interface SecondMoment {
  readonly beta2: number;
  readonly epsilon: number;
}

/** 1 / √v of row i and column j is ofRows[i] · ofColumns[j]. */
interface Factors {
  readonly ofRows: Float64Array;
  readonly ofColumns: Float64Array;
}

/** v = r c / mean(r). */
function factored(
  gradient: Float32Array,
  rows: Float32Array,
  columns: Float32Array,
  { beta2, epsilon }: SecondMoment,
): Factors {
  const width = columns.length;
  const ofRows = new Float64Array(rows.length);
  const ofColumns = new Float64Array(width);
  for (let row = 0, i = 0; row < rows.length; row++) {
    let sum = 0;
    for (let column = 0; column < width; column++, i++) {
      const square = gradient[i]! * gradient[i]! + epsilon;
      sum += square;
      ofColumns[column]! += square;
    }
    rows[row] = beta2 * rows[row]! + (1 - beta2) * (sum / width);
  }
  const mean = rows.reduce((sum, r) => sum + r, 0) / rows.length;
  for (let row = 0; row < rows.length; row++) ofRows[row] = 1 / Math.sqrt(rows[row]! / mean);
  for (let column = 0; column < width; column++) {
    columns[column] = beta2 * columns[column]! + (1 - beta2) * (ofColumns[column]! / rows.length);
    ofColumns[column] = 1 / Math.sqrt(columns[column]!);
  }
  return { ofRows, ofColumns };
}

/** A vector is one row with a moment of its own at every column. */
function whole(gradient: Float32Array, second: Float32Array, { beta2, epsilon }: SecondMoment): Factors {
  const ofColumns = new Float64Array(second.length);
  for (let i = 0; i < second.length; i++) {
    second[i] = beta2 * second[i]! + (1 - beta2) * (gradient[i]! * gradient[i]! + epsilon);
    ofColumns[i] = 1 / Math.sqrt(second[i]!);
  }
  return { ofRows: Float64Array.of(1), ofColumns };
}

/** Root mean square of gradient / √v. */
function updateSize(gradient: Float32Array, ofRows: Float64Array, ofColumns: Float64Array): number {
  let total = 0;
  for (let row = 0, i = 0; row < ofRows.length; row++) {
    let sum = 0;
    for (let column = 0; column < ofColumns.length; column++, i++) {
      const u = gradient[i]! * ofColumns[column]!;
      sum += u * u;
    }
    total += sum * ofRows[row]! ** 2;
  }
  return Math.sqrt(total / gradient.length);
}

function rootMeanSquare(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum / values.length);
}

export const adafactorKind: OptimizerKind = {
  entry: {
    name: 'adafactor',
    summary: 'keeps of the second moment of a matrix only the means of rows and columns',
    details: [
      'r ← β r + (1 − β) · row means of (g² + epsilon), c likewise of columns, β = 1 − t^−decay_rate at step t; v = r c / mean(r);',
      'u = g / √v, divided by max(1, rms(u) / update_clip); w ← w − lr · (u + weight_decay · w). Vectors keep all of v; only',
      'matrices decay. rows + columns numbers of state a matrix, 4 bytes each; with `beta1` above 0 a first moment as well.',
      '',
      'lr and its schedule are those of the stage. `scale_parameter` multiplies lr with the root mean square of each tensor, at',
      'least 1e-3, as the paper does: it then wants a far larger lr, 1e-2 in the paper. Adapters that start at zero would hardly move.',
      '',
      'Source: [Adafactor](https://arxiv.org/abs/1804.04235) algorithms 4 and 5.',
    ].join('\n'),
    example: 'pretrain → sft(full optimizer=adafactor)',
    options: {
      ...weightDecayOption,
      beta1: decayOption('decay of the first moment; 0: none is kept', 0),
      epsilon: {
        description: 'added to squared gradients',
        type: 'number',
        exclusiveMinimum: 0,
        default: 1e-30,
      },
      decay_rate: {
        description: 'the decay of the second moment at step t is 1 − t^−decay_rate',
        type: 'number',
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.8,
      },
      update_clip: {
        description: "largest root mean square of a tensor's update",
        type: 'number',
        exclusiveMinimum: 0,
        default: 1,
      },
      scale_parameter: {
        description: 'multiply lr with the root mean square of each tensor',
        type: 'boolean',
        default: false,
      },
    },
  },
  create: (options, made) =>
    adafactor({
      shapes: made.shapes,
      beta1: Number(options.beta1),
      decayRate: Number(options.decay_rate),
      epsilon: Number(options.epsilon),
      updateClip: Number(options.update_clip),
      scaleParameter: options.scale_parameter === true,
      weightDecay: Number(options.weight_decay),
      decays: decaysIn(made),
    }),
};
