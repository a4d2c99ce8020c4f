/** What a config.json may hold: wrong architectures, types and settings are refused in words, and nothing else happens. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/compiler/catalog.ts';
import { models } from '../../src/runtime/catalog.ts';
import { checkTensors } from '../../src/runtime/models/check-tensors.ts';
import type { ModelConfig, ModelFamily } from '../../src/runtime/models/model.ts';
import { ModelError } from '../../src/runtime/models/model-error.ts';
import { openConfig } from '../../src/runtime/models/open-config.ts';
import { input } from '../../src/runtime/programs/builder.ts';
import { publishedConfig, publishedNames } from '../reference/published-models.ts';

const open = (json: unknown) => openConfig(json, Object.values(models));
const llama = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  vocab_size: 100,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
} as const;
const gpt2 = { model_type: 'gpt2', vocab_size: 100, n_embd: 32, n_layer: 2, n_head: 4 } as const;

function refusal(json: unknown): { readonly message: string; readonly help: readonly string[] } {
  try {
    open(json);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('it was opened');
}

describe('which model it is', () => {
  test('the config comes back as it stands, and the same object', () => {
    const { family, config } = open(llama);
    expect(family.modelType).toBe('llama');
    expect(config).toBe(llama);
  });

  test('either key is enough', () => {
    const { architectures: _, ...typed } = llama;
    expect(open(typed).family.modelType).toBe('llama');
    const { model_type: __, ...named } = {
      ...llama,
      num_key_value_heads: 2,
      architectures: ['Qwen3ForCausalLM'],
    };
    const opened = open(named);
    expect(opened.family.modelType).toBe('qwen3');
    expect(opened.config.model_type).toBe('qwen3');
  });

  test('two families in one config', () => {
    const { message, help } = refusal({ ...llama, architectures: ['Qwen2ForCausalLM'] });
    expect(message).toBe(
      'config.json has model_type="llama" and architectures=["Qwen2ForCausalLM"], which are two families',
    );
    expect(help).toEqual([
      'if the weights are those of a Qwen2ForCausalLM, set model_type to "qwen2"',
      'if not, set architectures to ["LlamaForCausalLM"]',
    ]);
  });

  test.each([
    [{ architectures: ['LlamaForTokenClassification'] }, 'LlamaForSequenceClassification'],
    [{ model_type: 'mixtral', architectures: ['MixtralForCausalLM'] }, 'MistralForCausalLM'],
    [{ model_type: 'qwen3_moe', architectures: ['Qwen3MoeForCausalLM'] }, 'Qwen3ForCausalLM'],
    [{ model_type: 'qwen', architectures: undefined }, 'qwen2'],
  ])('%o is refused with the nearest that is supported', (change, near) => {
    const { message, help } = refusal({ ...llama, ...change });
    expect(message).toContain(', which is not supported (known: ');
    expect(help).toEqual([`the nearest that is supported is ${near}`]);
  });

  test('a name that is like none, and no name at all', () => {
    const bert = refusal({ ...llama, model_type: 'bert', architectures: ['BertModel'] });
    expect(bert.message).toBe(
      'config.json has architectures=["BertModel"], which is not supported (known: LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, GPT2LMHeadModel)',
    );
    expect(bert.help).toEqual(['start from a model of one of these']);
    expect(refusal({ hidden_size: 32 }).message).toBe('config.json has neither model_type nor architectures');
    const own = refusal({ ...llama, model_type: 'my_llama' });
    expect(own.help).toEqual(['if it computes what a LlamaForCausalLM does, set model_type to "llama"']);
    for (const json of [null, [], 'llama', 3]) expect(refusal(json).message).toContain('holds no object');
  });
});

describe('reward models', () => {
  const reward = { ...llama, architectures: ['LlamaForSequenceClassification'], num_labels: 1 };

  test('have no output layer', () => {
    const { family, config } = open(reward);
    const names = family.parameters(config).map(({ name }) => name);
    expect(names).not.toContain('lm_head.weight');
    const { problems } = checkTensors(
      family,
      config,
      family.parameters(config).map(({ name, shape }) => [name, shape] as const),
    );
    expect(problems).toEqual([]);
    expect(() => family.head(config)).toThrow('a reward model has no output layer to make text with');
    const scored = open({ ...gpt2, architectures: ['GPT2ForSequenceClassification'] });
    expect(scored.family.head(scored.config).attributes).toEqual({ name: 'transformer.wte.weight' });
  });
});

describe('values', () => {
  const rope = (settings: Json) => ({ ...llama, rope_scaling: settings });
  test.each<[string, object, string]>([
    [
      'a size in quotes',
      { hidden_size: '32' },
      'hidden_size="32"; it must be a whole number from 1 to 262144',
    ],
    [
      'a negative size',
      { num_hidden_layers: -1 },
      'num_hidden_layers=-1; it must be a whole number from 1 to',
    ],
    ['a broken size', { head_dim: 8.5 }, 'head_dim=8.5; it must be a whole number'],
    ['blocks without end', { num_hidden_layers: 1e9 }, 'num_hidden_layers=1000000000; it must be a whole'],
    ['a vocabulary without end', { vocab_size: 2 ** 40 }, 'vocab_size=1099511627776; it must be'],
    ['a list', { intermediate_size: [1] }, 'intermediate_size=[1]; it must be'],
    ['an odd head', { head_dim: 7 }, 'head_dim=7; it must be even'],
    [
      'heads that do not fit',
      { num_attention_heads: 5 },
      'num_attention_heads=5 does not divide hidden_size=32',
    ],
    ['groups that do not fit', { num_key_value_heads: 3 }, 'num_key_value_heads=3 does not divide'],
    [
      'a flag in quotes',
      { tie_word_embeddings: 'false' },
      'tie_word_embeddings="false"; it must be true or false',
    ],
    ['a flag as a number', { attention_bias: 1 }, 'attention_bias=1; it must be true or false'],
    ['a negative epsilon', { rms_norm_eps: -1e-5 }, 'rms_norm_eps=-0.00001; it must be a number, 0 or more'],
    ['a base of nothing', { rope_theta: 0 }, 'rope_theta=0; it must be a number above 0'],
    [
      'an activation',
      { hidden_act: 'xielu' },
      'hidden_act="xielu", which is not supported (known: "silu", "swish"',
    ],
    ['a scaling as a name', rope('linear'), 'rope_scaling="linear"; it must be an object or null'],
    ['a scaling without factor', rope({ type: 'linear' }), 'rope_scaling of type linear without `factor`'],
    ['a factor in quotes', rope({ type: 'linear', factor: '2' }), 'factor="2"; it must be a number above 0'],
    [
      'a scaling of another kind',
      rope({ type: 'su', factor: 2 }),
      'rope_scaling of type "su", which is not supported',
    ],
    [
      'a ramp upside down',
      rope({ type: 'llama3', factor: 2, low_freq_factor: 4, high_freq_factor: 4 }),
      'high_freq_factor=4; it must be larger than low_freq_factor=4',
    ],
    [
      'truncate as a number',
      rope({ type: 'yarn', factor: 2, truncate: 1 }),
      'truncate=1; it must be true or false',
    ],
    [
      'heads turned in part',
      { partial_rotary_factor: 0.5 },
      'partial_rotary_factor=0.5, which is not supported',
    ],
    ['an encoder', { is_encoder_decoder: true }, 'is_encoder_decoder=true, which is not supported'],
    ['a look ahead', { is_causal: false }, 'is_causal=false, which is not supported'],
    ['heads taken out', { pruned_heads: { 0: [1] } }, 'pruned_heads, which is not supported'],
    [
      'architectures as a name',
      { architectures: 'LlamaForCausalLM' },
      'architectures="LlamaForCausalLM"; it must be a list of names',
    ],
    ['a type as a number', { model_type: 7 }, 'model_type=7; it must be a name in quotes'],
  ])('%s', (_, change, message) => {
    expect(refusal({ ...llama, ...change }).message).toContain(`${message}`);
  });

  test('a scaling for each kind of layer, and windows that contradict each other', () => {
    const qwen3 = {
      ...llama,
      num_key_value_heads: 2,
      model_type: 'qwen3',
      architectures: ['Qwen3ForCausalLM'],
    };
    const nested = { rope_parameters: { full_attention: { rope_theta: 1 }, sliding_attention: null } };
    expect(refusal({ ...qwen3, ...nested }).message).toContain(
      'full_attention layers, which is not supported',
    );
    const types = ['full_attention', 'sliding_attention'];
    expect(refusal({ ...qwen3, layer_types: types }).message).toContain('use_sliding_window is false');
    expect(refusal({ ...qwen3, layer_types: ['full_attention'] }).message).toContain(
      'it must be a list of 2 names',
    );
    expect(refusal({ ...qwen3, use_sliding_window: true, sliding_window: 0 }).message).toContain(
      'sliding_window=0; it must be a whole number',
    );
  });

  test('what changes nothing is no reason to refuse', () => {
    const more = { pretraining_tp: 2, use_cache: false, auto_map: {}, dropout: 0.1, pruned_heads: {} };
    expect(open({ ...llama, ...more, rope_scaling: {}, partial_rotary_factor: 1 }).family.modelType).toBe(
      'llama',
    );
    expect(open({ ...gpt2, reorder_and_upcast_attn: true }).family.modelType).toBe('gpt2');
  });
});

/** The shape of what three tokens become: programs can be written for every config that is opened. */
const hiddenOf = (family: ModelFamily, config: ModelConfig) =>
  family.forward(config, {
    ids: input('ids', 'i32', [1, 3]),
    positions: input('positions', 'i32', [1, 3]),
    bias: input('bias', 'f32', [1, 1, 3, 3]),
  }).hidden.shape;

test('whatever stands for a value: opened, or refused in words; never a crash, never long', () => {
  const value = fc.oneof(
    fc.constantFrom<Json>(null, true, '', '4', [], {}, 0, -1, 1e308, 2 ** 53, 0.5, [1, 2], { factor: 2 }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.jsonValue() as fc.Arbitrary<Json>,
  );
  const configs = publishedNames.map(publishedConfig);
  const mutated = fc.constantFrom(...configs).chain((config) => {
    const scaling = config.rope_scaling ?? config.rope_parameters ?? {};
    const key = fc.constantFrom(...Object.keys(config), 'sliding_window', 'rope_scaling', 'n_positions');
    const inner = fc.constantFrom(...Object.keys(scaling), 'factor', 'rope_type', 'truncate');
    return fc.oneof(
      fc.dictionary(key, value, { maxKeys: 3 }).map((change) => ({ ...config, ...change })),
      fc
        .dictionary(inner, value, { maxKeys: 3 })
        .map((change) => ({ ...config, rope_scaling: { ...(scaling as object), ...change } })),
    );
  });
  let opened = 0;
  fc.assert(
    fc.property(mutated, (json) => {
      try {
        const { family, config } = open(json);
        opened++;
        const { blocks, headSize } = family.shape(config);
        expect(family.linears(config).length).toBeGreaterThanOrEqual(6 * blocks);
        expect(headSize % 2 === 0 || config.model_type === 'gpt2').toBe(true);
        if (blocks <= 4) expect(hiddenOf(family, config)).toEqual([1, 3, family.shape(config).width]);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        expect(error.message.length).toBeLessThan(400);
      }
    }),
    { numRuns: 3000, interruptAfterTimeLimit: 15_000 },
  );
  expect(opened).toBeGreaterThan(50);
});
