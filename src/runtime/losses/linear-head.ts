/**
 * The output layer in chunks of rows: log-probabilities of labels from hidden states, and their gradients in the forward
 * direction, so that the logits of all rows never live at once. N rows, D width, V vocabulary.
 */
import * as b from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';

export interface LinearHeadInputs {
  /** f32 (N, D) */
  readonly hidden: Node;
  /** f32 (V, D) */
  readonly head: Node;
  /** i32 (N), each in [0, V). */
  readonly labels: Node;
  /** Logits are divided by temperature + 1e-7. Default: as they are. */
  readonly temperature?: number;
  /** Rows whose logits live at once. Default: about 4 million logits, and at least 264 rows. */
  readonly chunkRows?: number;
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

const CHUNK_LOGITS = 1 << 22;

/** Fewer rows make the products with the head slow: each chunk reads all of it, and packs it once when loaded. */
const LEAST_CHUNK_ROWS = 264;

/** Chunks of about equal size, each of a row count that matrix kernels, 12 rows at a time, like. */
function defaultChunkRows(count: number, vocabulary: number): number {
  const most = Math.max(LEAST_CHUNK_ROWS, Math.floor(CHUNK_LOGITS / vocabulary));
  const rows = Math.ceil(count / Math.ceil(count / most));
  return Math.ceil(rows / 12) * 12;
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
  const size = inputs.chunkRows ?? defaultChunkRows(count, vocabulary);
  const part = (x: Node, i: number) =>
    count <= size ? x : b.sliceAxis(x, 0, i * size, Math.min(count, (i + 1) * size));
  const join = (values: readonly Node[]) => (values.length === 1 ? values[0]! : b.concat(values, 0));

  const chunks = Array.from({ length: Math.ceil(count / size) }, (_, i) => {
    const rows = part(hidden, i);
    const logits = b.matmul(rows, head, { transposeB: true, scale });
    const probabilities = b.softmax(logits);
    const largest = b.max(logits, [1]);
    const normalizer = b.sub(largest, b.log(b.max(probabilities, [1])));
    const chosen = b.pick(logits, part(labels, i));
    const mixture = b.matmul(probabilities, head);
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
          .map((chunk, i) => b.matmul(chunk.probabilities, part(weighted, i), { transposeA: true }))
          .reduce((sum, term) => b.add(sum, term));
        pairs.push([head, b.sub(b.scatterRows(labels, weighted, vocabulary), spread)]);
      }
      return b.attachGradient(loss, pairs);
    },
  };
}
