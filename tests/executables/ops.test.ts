import { describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import type { OpName } from '../../src/runtime/programs/ops.ts';
import { nodesOf } from '../../src/runtime/programs/program.ts';
import { verifyProgram } from '../../src/runtime/programs/verify.ts';
import { opCases } from '../programs/op-cases.ts';
import { programOf } from '../programs/random-tensors.ts';
import { expectClose, toleranceOf } from './tolerances.ts';

describe('every operation: onnx agrees with the reference', () => {
  for (const [op, cases] of Object.entries(opCases)) {
    test(op, async () => {
      for (const [i, opCase] of cases.entries()) {
        const { program, feeds } = programOf(`${op} ${i}`, opCase, 7 * i + 1);
        verifyProgram(program);
        expect(nodesOf(program).some((node) => node.op === op)).toBe(true);
        const oracle = await reference.load(program);
        const engine = await onnx.load(program);
        const expected = (await oracle.run(feeds)).get('y')!;
        const actual = (await engine.run(feeds)).get('y')!;
        expectClose(actual, expected, toleranceOf(op as OpName), program.name);
        await engine.dispose();
      }
    });
  }
});
