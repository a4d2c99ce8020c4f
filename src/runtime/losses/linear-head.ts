/**
 * The output layer in tiles of rows by vocabulary: log-probabilities of labels from hidden states, and their gradients in
 * the forward direction, so that all logits never live at once. N rows, D width, V vocabulary.
 */
import * as b from '../programs/builder.ts';
import { type Node, sizeOf } from '../programs/program.ts';

export interface LinearHeadInputs {
  /** f32 (N, D) */
  readonly hidden: Node;
  /** f32 (V, D) */
  readonly head: Node;
  /** i32 (N), each in [0, V). */
  readonly labels: Node;
  /** Logits are divided by temperature + 1e-7. Default: as they are. */
  readonly temperature?: number;
  /** Rows whose logits live at once. Default: by what the tile takes. */
  readonly chunkRows?: number;
  /** Entries of the vocabulary whose logits live at once; all of them with `headTrainable`. Default: as above. */
  readonly chunkColumns?: number;
  /** Whether the gradient of the head is wanted. Default: no. */
  readonly headTrainable?: boolean;
}

/** Values a row. What a program does not output is not computed. */
export interface LinearHead {
  /** f32 (N): log p(label), accurate for probabilities too small for a float. */
  readonly logProbabilities: Node;
  /** f32 (N): 1 where no other entry is likelier than the label. */
  readonly correct: Node;
  /** f32 (N): of the whole distribution, in nats. */
  readonly entropy: Node;
  /**
   * `loss` (a scalar computed from `logProbabilities`), with its gradient with respect to the hidden states and the
   * head: `gradient` f32 (N) is dloss / dlogProbabilities. Nothing else may lead from the loss to the log-probabilities.
   */
  attach(loss: Node, gradient: Node): Node;
}

/** Logits that live at once. A trained head is taken whole: its gradient needs every row's probabilities over the whole vocabulary. */
const CHUNK_LOGITS = 1 << 22;

/** Fewer rows make the products with the head slow: each chunk reads all of it, and packs it once when loaded. */
const LEAST_CHUNK_ROWS = 264;

/**
 * Of a frozen head: as many rows as can be go through it at once, so that it is read from memory once. A product with
 * fewer rows than its result has columns is shared out among threads by columns, some of which are then left over:
 * 1,024 rows of width 576 go back through the head in three quarters of the time that twice 512 take in eight bits.
 */
const TILE_ROWS = 1024;
/** Weights of a tile that are widened from two bytes at once, also where rows are few. */
const TILE_WEIGHTS = 1 << 22;
const MOST_PARTS = 32;

/** Pieces of about equal size, of a multiple of what matrix kernels take at once. */
const pieces = (count: number, most: number, multiple: number): number =>
  multiple * Math.ceil(count / Math.ceil(count / most) / multiple);

/** How many logits make a tile. */
function tileOf({
  hidden,
  head,
  headTrainable,
  ...given
}: LinearHeadInputs): [rows: number, columns: number] {
  const [count, vocabulary] = [hidden.shape[0]!, head.shape[0]!];
  if (headTrainable) {
    const most = Math.max(LEAST_CHUNK_ROWS, Math.floor(CHUNK_LOGITS / vocabulary));
    return [given.chunkRows ?? pieces(count, most, 12), vocabulary];
  }
  const most = Math.max(TILE_ROWS, Math.floor(CHUNK_LOGITS / vocabulary));
  const rows = given.chunkRows ?? pieces(count, most, 12);
  const parts = Math.min(
    MOST_PARTS,
    Math.max(
      Math.ceil((Math.min(rows, count) * vocabulary) / CHUNK_LOGITS),
      Math.ceil(sizeOf(head.shape) / TILE_WEIGHTS),
    ),
  );
  return [rows, given.chunkColumns ?? pieces(vocabulary, Math.ceil(vocabulary / parts), 16)];
}

/** Of some rows over some entries of the vocabulary. */
interface Part {
  /** f32 (n, v) */
  readonly probabilities?: Node;
  /** f32 (n): log Σ exp l */
  readonly normalizer: Node;
  /** f32 (n) */
  readonly largest: Node;
  /** f32 (n): the label's logit; any number where the label is an entry further on. */
  readonly chosen: Node;
  /** f32 (n, D): Σ p_v W_v */
  readonly mixture: Node;
}

function partOf(rows: Node, head: Node, labels: Node, scale: number): Part {
  const logits = b.matmul(rows, head, { transposeB: true, scale });
  const probabilities = b.softmax(logits);
  const largest = b.max(logits, [1]);
  const likeliest = b.reshape(b.max(probabilities, [1], true), largest.shape);
  return {
    probabilities,
    normalizer: b.sub(largest, b.log(likeliest)),
    largest,
    chosen: b.pick(logits, labels),
    mixture: b.matmul(probabilities, head),
  };
}

/** Two neighbouring parts of the vocabulary as one: each distribution counts for its share of Σ exp l. */
function joined(first: Part, second: Part, isSecond: Node): Part {
  const difference = b.sub(first.normalizer, second.normalizer);
  const shared = (mixture: Node, x: Node) => b.mul(mixture, b.reshape(b.sigmoid(x), [x.shape[0]!, 1]));
  return {
    normalizer: b.add(second.normalizer, b.softplus(difference)),
    largest: b.maximum(first.largest, second.largest),
    chosen: b.where(isSecond, second.chosen, first.chosen),
    mixture: b.add(shared(first.mixture, difference), shared(second.mixture, b.neg(difference))),
  };
}

/** A part of the whole vocabulary, taken `columns` entries at a time. */
function inTiles(rows: Node, head: Node, labels: Node, scale: number, columns: number): Part {
  const vocabulary = head.shape[0]!;
  if (columns >= vocabulary) return partOf(rows, head, labels, scale);
  const number = (value: number) => b.integers([value], []);
  const starts = Array.from({ length: Math.ceil(vocabulary / columns) }, (_, i) => i * columns);
  return starts
    .map((start) => {
      const end = Math.min(vocabulary, start + columns);
      // Where the label is in another part, any entry of this one.
      const within = b.minimum(b.maximum(b.sub(labels, number(start)), number(0)), number(end - start - 1));
      const part = partOf(rows, b.sliceAxis(head, 0, start, end), within, scale);
      return { ...part, follows: b.greaterEqual(labels, number(start)) };
    })
    .reduce((first, second) => ({ ...joined(first, second, second.follows), follows: second.follows }));
}

/**
 * l = h Wᵀ / τ; log p(y) = l_y − max l + log max softmax(l).
 * d log p(y) / dh = (W_y − Σ p_v W_v) / τ, d log p(y) / dW = (onehot_y − p)ᵀ h / τ.
 */
export function linearHead(inputs: LinearHeadInputs): LinearHead {
  const { hidden, head, labels, temperature, headTrainable = false } = inputs;
  const count = hidden.shape[0]!;
  const vocabulary = head.shape[0]!;
  const scale = temperature === undefined ? 1 : 1 / (temperature + 1e-7);
  const [size, columns] = tileOf(inputs);
  const part = (x: Node, i: number) =>
    count <= size ? x : b.sliceAxis(x, 0, i * size, Math.min(count, (i + 1) * size));
  const join = (values: readonly Node[]) => (values.length === 1 ? values[0]! : b.concat(values, 0));

  const chunks = Array.from({ length: Math.ceil(count / size) }, (_, i) => {
    const rows = part(hidden, i);
    const { probabilities, mixture, normalizer, largest, chosen } = inTiles(
      rows,
      head,
      part(labels, i),
      scale,
      columns,
    );
    return {
      probabilities,
      mixture,
      logProbabilities: b.sub(chosen, normalizer),
      correct: b.cast(b.greaterEqual(chosen, largest), 'f32'),
      // Σ p·l is h · Σ p·W: no further pass over the vocabulary where gradients are computed.
      entropy: b.sub(normalizer, b.mul(b.sum(b.mul(rows, mixture), [1]), scale)),
    };
  });

  return {
    logProbabilities: join(chunks.map((chunk) => chunk.logProbabilities)),
    correct: join(chunks.map((chunk) => chunk.correct)),
    entropy: join(chunks.map((chunk) => chunk.entropy)),
    attach(loss, gradient) {
      const column = b.reshape(scale === 1 ? gradient : b.mul(gradient, scale), [count, 1]);
      const difference = b.sub(b.gatherRows(head, labels), join(chunks.map((chunk) => chunk.mixture)));
      const pairs: [Node, Node][] = [[hidden, b.mul(column, difference)]];
      if (headTrainable) {
        const weighted = b.mul(column, hidden);
        const spread = chunks
          .map((chunk, i) => b.matmul(chunk.probabilities!, part(weighted, i), { transposeA: true }))
          .reduce((sum, term) => b.add(sum, term));
        pairs.push([head, b.sub(b.scatterRows(labels, weighted, vocabulary), spread)]);
      }
      return b.attachGradient(loss, pairs);
    },
  };
}
