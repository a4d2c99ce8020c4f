/** A program cut between two blocks: its halves, one after the other, are the whole. */
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/compiler/catalog.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { differentiate } from '../../src/runtime/gradients/differentiate.ts';
import { freeze } from '../../src/runtime/methods/freeze.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import { inputsOf, parametersOf } from '../../src/runtime/programs/program.ts';
import { frozenEdge, prefixOf, suffixOf } from '../../src/runtime/rewrites/cut-prefix.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { hiddenRows } from '../../src/runtime/stages/parts/language-model-program.ts';
import { lossFeeds, lossProgram } from '../models/golden-programs.ts';
import { expectClose } from '../reference/close.ts';
import { readGolden } from '../reference/golden.ts';

const methods = { freeze, lora };

describe.each(['llama', 'gpt2', 'qwen2'] as const)('%s', (name) => {
  const apply = async (method: 'freeze' | 'lora', options: Record<string, Json>) => {
    const golden = await readGolden(name);
    const { family, config } = golden;
    const target = {
      config,
      parameters: family.parameters(config),
      linears: family.linears(config),
      blocks: family.blocks(config),
    };
    const applied = methods[method].apply(target, options);
    const trained = new Set(applied.trainable);
    const bare = lossProgram(golden, 'b', false);
    // As in training, where positions and mask are constants.
    const hidden = hiddenRows({ family, config, batch: 2, length: 8 });
    const program = applied.rewrite({ name: 'hidden', outputs: new Map([['hidden', hidden]]) });
    return { golden, applied, bare, edge: frozenEdge(program, (one) => trained.has(one)) };
  };

  test('the edge is below the lowest trained tensor', async () => {
    for (const [method, options, edge] of [
      ['freeze', { layers: 1 }, 1],
      ['freeze', { layers: 0, parts: ['norms'] }, 2],
      ['freeze', { layers: 2, parts: ['mlp'] }, 0],
      ['freeze', { layers: -1 }, 0],
      ['freeze', { layers: 1, parts: ['norms', 'embeddings'] }, 0],
      ['lora', { r: 2, layers: 1 }, 1],
      ['lora', { r: 2 }, 0],
    ] as const)
      expect((await apply(method, options)).edge, `${method} ${JSON.stringify(options)}`).toBe(edge);
  });

  test.each([reference, onnx])('loss and gradients of the halves on $name', async (engine) => {
    const { golden, applied, bare, edge } = await apply('freeze', { layers: 1 });
    const feeds = new Map([...lossFeeds(golden, 'b'), ...golden.weights]);
    const wanted = { loss: 'loss', withRespectTo: applied.trainable };
    const run = async (program: typeof bare, given: typeof feeds) => {
      const executor = await engine.load(optimize(program));
      const results = await executor.run(given);
      await executor.dispose();
      return results;
    };
    const whole = await run(differentiate(bare, wanted), feeds);
    const below = prefixOf(bare, edge);
    const above = suffixOf(bare, edge);
    const namesIn = (program: typeof bare) => parametersOf(program).map((node) => node.attributes.name);
    expect(namesIn(above).filter((one) => namesIn(below).includes(one))).toEqual(
      // A tied head is read on both sides.
      name === 'llama' ? [] : [name === 'gpt2' ? 'transformer.wte.weight' : 'model.embed_tokens.weight'],
    );
    expect(inputsOf(above).map((node) => node.attributes.name)).not.toContain('ids');
    const prefix = (await run(below, feeds)).get('prefix')!;
    expect(prefix.shape).toEqual([24, 32]);
    const halves = await run(differentiate(above, wanted), new Map([...feeds, ['prefix', prefix]]));
    expect([...halves.keys()]).toEqual([...whole.keys()]);
    for (const [key, { data }] of whole)
      expectClose(halves.get(key)!.data, data, { absolute: 1e-7, relative: 1e-6 }, key);
  });
});

test('below an edge nothing but the tokens may be fed', async () => {
  const golden = await readGolden('llama');
  expect(frozenEdge(lossProgram(golden, 'a'), () => false)).toBe(0);
});

test('an edge that is not marked', async () => {
  const golden = await readGolden('llama');
  expect(() => suffixOf(lossProgram(golden, 'a'), 3)).toThrow('has no block edge 3');
});
