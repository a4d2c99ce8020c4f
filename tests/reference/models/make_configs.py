"""What transformers makes of config.json files as they are published: tensors, rotary frequencies, sliding layers.

    python make_configs.py    (PyTorch 2.13, transformers 5.17, CPU; no network, no weights: models are built on `meta`)

The configs were written from the published ones of the models that they are named after (keys that change nothing left
out), or vary one setting. `tensors` is the SHA-256 of the sorted lines "name shape" of the parameters. `frequencies` are the
rotary embedding's own after a forward pass of `length` tokens.
"""

import hashlib
import json
import tempfile
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).parent


def llama(hidden, inner, layers, heads, kv, vocabulary, positions, **more):
    return dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=hidden, intermediate_size=inner,
                num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv, vocab_size=vocabulary,
                max_position_embeddings=positions, hidden_act="silu", rms_norm_eps=1e-5, **more)


def other(kind, name, *sizes, **more):
    return {**llama(*sizes, **more), "architectures": [f"{name}ForCausalLM"], "model_type": kind}


LLAMA_31 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
            "rope_type": "llama3"}
LLAMA_32 = {**LLAMA_31, "factor": 32.0}
SMALL = (64, 128, 2, 4, 2, 100, 4096)

# name: (config, length)
CONFIGS = {
    "Llama-2-7b": llama(4096, 11008, 32, 32, 32, 32000, 4096, rope_scaling=None, tie_word_embeddings=False,
                        pretraining_tp=1, attention_bias=False),
    "Llama-3.1-8B": llama(4096, 14336, 32, 32, 8, 128256, 131072, rope_theta=500000.0, rope_scaling=LLAMA_31,
                          mlp_bias=False, attention_bias=False, tie_word_embeddings=False),
    "Llama-3.2-1B": llama(2048, 8192, 16, 32, 8, 128256, 131072, rope_theta=500000.0, rope_scaling=LLAMA_32, head_dim=64,
                          mlp_bias=False, attention_bias=False, tie_word_embeddings=True),
    "TinyLlama-1.1B": llama(2048, 5632, 22, 32, 4, 32000, 2048, rope_scaling=None, tie_word_embeddings=False),
    "SmolLM-135M": llama(576, 1536, 30, 9, 3, 49152, 2048, rope_theta=10000.0, tie_word_embeddings=True),
    "SmolLM2-360M": llama(960, 2560, 32, 15, 5, 49152, 8192, rope_theta=100000, rope_interleaved=False,
                          is_llama_config=True, rope_scaling=None, tie_word_embeddings=True),
    "vicuna-7b-v1.5-16k": llama(4096, 11008, 32, 32, 32, 32000, 4096, max_sequence_length=16384,
                                rope_scaling={"factor": 4.0, "type": "linear"}),
    "Mistral-7B-v0.1": other("mistral", "Mistral", 4096, 14336, 32, 32, 8, 32000, 32768, sliding_window=4096,
                             rope_theta=10000.0, tie_word_embeddings=False),
    "Mistral-7B-v0.3": other("mistral", "Mistral", 4096, 14336, 32, 32, 8, 32768, 32768, sliding_window=None,
                             rope_theta=1000000.0, tie_word_embeddings=False),
    "Mistral-Nemo": other("mistral", "Mistral", 5120, 14336, 40, 32, 8, 131072, 1024000, sliding_window=None,
                          rope_theta=1000000.0, head_dim=128, tie_word_embeddings=False),
    "Qwen2-0.5B": other("qwen2", "Qwen2", 896, 4864, 24, 14, 2, 151936, 131072, rope_theta=1000000.0,
                        sliding_window=131072, max_window_layers=24, use_sliding_window=False, tie_word_embeddings=True),
    "Qwen2.5-7B-yarn": other("qwen2", "Qwen2", 3584, 18944, 28, 28, 4, 152064, 32768, rope_theta=1000000.0,
                             sliding_window=131072, max_window_layers=28, use_sliding_window=False,
                             rope_scaling={"factor": 4.0, "original_max_position_embeddings": 32768, "type": "yarn"}),
    "Qwen3-0.6B": other("qwen3", "Qwen3", 1024, 3072, 28, 16, 8, 151936, 40960, rope_theta=1000000, head_dim=128,
                        attention_bias=False, use_sliding_window=False, sliding_window=None, max_window_layers=28,
                        rope_scaling=None, tie_word_embeddings=True),
    "Qwen3-8B-yarn": other("qwen3", "Qwen3", 4096, 12288, 36, 32, 8, 151936, 40960, rope_theta=1000000, head_dim=128,
                           attention_bias=False, rope_scaling={"rope_type": "yarn", "factor": 4.0,
                                                               "original_max_position_embeddings": 32768}),
    "gpt2": dict(architectures=["GPT2LMHeadModel"], model_type="gpt2", n_embd=768, n_head=12, n_layer=12, n_ctx=1024,
                 n_positions=1024, vocab_size=50257, activation_function="gelu_new", layer_norm_epsilon=1e-5),
    "gpt2-xl": dict(architectures=["GPT2LMHeadModel"], model_type="gpt2", n_embd=1600, n_head=25, n_layer=48, n_ctx=1024,
                    n_positions=1024, vocab_size=50257, activation_function="gelu_new", layer_norm_epsilon=1e-5),
    # ---- one setting at a time
    "no kv heads": {k: v for k, v in llama(*SMALL).items() if k != "num_key_value_heads"},
    "null kv heads": {**llama(*SMALL), "num_key_value_heads": None},
    "mistral without kv heads or window": {
        k: v for k, v in other("mistral", "Mistral", 64, 128, 2, 8, 8, 100, 512).items() if k != "num_key_value_heads"},
    "qwen3 without head_dim": other("qwen3", "Qwen3", *SMALL),
    "qwen2 upper window": other("qwen2", "Qwen2", 64, 128, 3, 4, 2, 100, 512, use_sliding_window=True,
                                sliding_window=16, max_window_layers=2),
    "qwen2 default window": other("qwen2", "Qwen2", 64, 128, 30, 4, 2, 100, 512, use_sliding_window=True),
    "qwen3 layer types": other("qwen3", "Qwen3", 64, 128, 3, 4, 2, 100, 512, use_sliding_window=True, sliding_window=8,
                               layer_types=["sliding_attention", "full_attention", "sliding_attention"]),
    "all biases": llama(*SMALL, attention_bias=True, mlp_bias=True, tie_word_embeddings=True),
    "theta in both": llama(*SMALL, rope_theta=7.0, rope_parameters={"rope_type": "default", "rope_theta": 77.0}),
    "scaling before parameters": llama(*SMALL, rope_scaling={"type": "linear", "factor": 2.0}, rope_theta=50.0,
                                       rope_parameters={"rope_type": "default", "rope_theta": 77.0}),
    "both type keys": llama(*SMALL, rope_scaling={"type": "dynamic", "rope_type": "linear", "factor": 2.0}),
    "llama3 without original": llama(*SMALL, rope_scaling={
        "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 2.0, "rope_theta": 50.0}),
    "original outside": llama(*SMALL, original_max_position_embeddings=100, rope_scaling={
        "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 300}),
    "yarn without original": llama(*SMALL, rope_scaling={"type": "yarn", "factor": 3.0}),
    "yarn, factor null": llama(*SMALL, rope_scaling={"rope_type": "yarn", "factor": None,
                                                     "original_max_position_embeddings": 256}),
    "yarn, attention factor": llama(*SMALL, rope_scaling={"type": "yarn", "factor": 16.0, "attention_factor": 0.707,
                                                          "original_max_position_embeddings": 256, "beta_fast": 16}),
    "yarn, mscale": llama(*SMALL, rope_scaling={"type": "yarn", "factor": 40, "mscale": 1.0, "mscale_all_dim": 0.8,
                                                "original_max_position_embeddings": 256, "beta_slow": 2}),
    "yarn, mscale alone": llama(*SMALL, rope_scaling={"type": "yarn", "factor": 40, "mscale": 0.5, "beta_fast": 0,
                                                      "original_max_position_embeddings": 256}),
    "yarn, not truncated": llama(*SMALL, rope_theta=500.0, rope_scaling={
        "type": "yarn", "factor": 8, "truncate": False, "original_max_position_embeddings": 256}),
    "yarn, no ramp": llama(*SMALL, rope_scaling={"type": "yarn", "factor": 8, "beta_fast": 1.0, "beta_slow": 1.0,
                                                 "truncate": False, "original_max_position_embeddings": 256}),
    "yarn, factor below 1": llama(*SMALL, rope_scaling={"type": "yarn", "factor": 0.5,
                                                        "original_max_position_embeddings": 4096}),
    "dynamic, short": (llama(64, 128, 2, 4, 2, 100, 32, rope_scaling={"type": "dynamic", "factor": 2.0}), 32),
    "dynamic, long": (llama(64, 128, 2, 4, 2, 100, 32, rope_scaling={"type": "dynamic", "factor": 2.0}), 47),
    "dynamic, new keys": (other("qwen3", "Qwen3", 64, 128, 2, 4, 2, 100, 32, rope_parameters={
        "rope_type": "dynamic", "factor": 3.5, "rope_theta": 3e5}), 90),
}


def describe(config, length):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(config))
        read = AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(read)
    lines = sorted(f"{name} {','.join(map(str, t.shape))}" for name, t in model.named_parameters())
    facts = {"parameters": sum(t.numel() for t in model.parameters()),
             "tensors": hashlib.sha256("\n".join(lines).encode()).hexdigest()}
    if hasattr(model.base_model, "rotary_emb"):
        rotary = type(model.base_model.rotary_emb)(read)
        rotary(torch.zeros(1), torch.arange(length)[None])
        facts |= {"frequencies": [float(f"{x:.7g}") for x in rotary.inv_freq.tolist()],
                  "scale": float(rotary.attention_scaling)}
        types = getattr(read, "layer_types", None) or ["sliding_attention"] * read.num_hidden_layers
        window = getattr(read, "sliding_window", None)
        facts["windows"] = [window if t == "sliding_attention" else None for t in types]
    return facts


cases = {}
for name, case in CONFIGS.items():
    config, length = case if isinstance(case, tuple) else (case, 16)
    cases[name] = {"config": config, "length": length, **describe(config, length)}
(HERE / "configs.json").write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in cases.items()) + "\n}\n")
