/** Eight-bit products where pairs of unsigned and signed bytes overflow: both operands are unsigned there. */
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { lowerToOnnx } from '../../src/runtime/executables/onnx/lower.ts';
import { encodeModel } from '../../src/runtime/executables/onnx/protobuf.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { input, matmulCodes, parameter, program } from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { randomNumbers, randomTensor } from '../programs/random-tensors.ts';
import { expectClose } from './tolerances.ts';

const [m, k, n] = [20, 64, 33];

describe.each([true, false])('signed rows: %s', (signed) => {
  test.each([1, 4])('in %i parts', async (parts) => {
    const one = program('codes', {
      y: matmulCodes(
        [
          input('codes', 'u8', [m, k]),
          input('absmax', 'f32', [m, parts]),
          parameter('w', [k, n], 'i8'),
          parameter('scale', [n]),
        ],
        signed,
      ),
    });
    const random = randomNumbers(9);
    const frozen = new Map<string, Tensor>([
      ['w', randomTensor({ dtype: 'i8', shape: [k, n], low: -127, high: 128 }, random)],
      ['scale', randomTensor({ dtype: 'f32', shape: [n], low: 0, high: 0.1 }, random)],
    ]);
    const feeds = new Map<string, Tensor>([
      ['codes', randomTensor({ dtype: 'u8', shape: [m, k], low: 0, high: 256 }, random)],
      ['absmax', randomTensor({ dtype: 'f32', shape: [m, parts], low: 0, high: 2 }, random)],
    ]);
    const expected = (await (await reference.load(one, { frozen })).run(feeds)).get('y')!;
    const { model } = lowerToOnnx(one, frozen, 'embed', { saturates: true });
    expect(model.nodes.map(({ operator }) => operator)).toContain('Cast');
    const session = await InferenceSession.create(encodeModel(model), { logSeverityLevel: 4 });
    const { y } = await session.run({
      codes: new OrtTensor('uint8', feeds.get('codes')!.data as Uint8Array, [m, k]),
      absmax: new OrtTensor('float32', feeds.get('absmax')!.data as Float32Array, [m, parts]),
    });
    await session.release();
    const actual = { dtype: 'f32', shape: y!.dims, data: y!.data as Float32Array } as const;
    expectClose(actual, expected, { absolute: 1e-4, relative: 1e-5 }, 'y');
  });
});
