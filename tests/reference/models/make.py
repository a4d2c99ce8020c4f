"""Tiny random checkpoints of each model family, and what transformers computes from them.

    python make.py            (PyTorch 2.13, transformers 5.17, CPU, one thread; no network)

Each folder is a checkpoint as it is published (config.json written here by hand, in the old and in the new keys) with
expected.safetensors and expected.json. The model runs in float64; its norms and rotary angles are float32, as
transformers has them. A model is opened anew for each forward pass, since `dynamic` keeps the longest length it has seen.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

torch.set_num_threads(1)
HERE = Path(__file__).parent
VOCABULARY, TOKENS, SHORT, NEW = 43, 20, 13, 10

LLAMA = dict(
    vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, head_dim=16, max_position_embeddings=64, rms_norm_eps=1e-5, hidden_act="silu",
    tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, torch_dtype="float32",
)
QWEN = {**LLAMA, "rms_norm_eps": 1e-6, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}


def named(name, base, **changes):
    kind = {"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2", "qwen3": "Qwen3"}[name]
    return {"architectures": [f"{kind}ForCausalLM"], "model_type": name, **base, **changes}


CASES = {
    "llama-bias": named("llama", QWEN, attention_bias=True, mlp_bias=True, tie_word_embeddings=True, rope_theta=500.0,
                        rope_scaling=None, pretraining_tp=1),
    "llama-linear": named("llama", LLAMA, rope_theta=100.0, rope_scaling={"type": "linear", "factor": 2.5}),
    "llama-dynamic": named("llama", LLAMA, max_position_embeddings=15, rope_theta=100.0,
                           rope_scaling={"type": "dynamic", "factor": 3.0}),
    "llama-llama3": named("llama", LLAMA, rope_parameters={
        "rope_type": "llama3", "rope_theta": 100.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8}),
    "llama-yarn": named("llama", LLAMA, max_position_embeddings=64, rope_parameters={
        "rope_type": "yarn", "rope_theta": 100.0, "factor": 4.0, "original_max_position_embeddings": 16}),
    "mistral-window": named("mistral", QWEN, sliding_window=6, rope_theta=1000.0),
    "mistral-null": named("mistral", LLAMA, sliding_window=None, hidden_act="gelu", rope_theta=1000.0),
    "qwen2-window": named("qwen2", QWEN, use_sliding_window=True, sliding_window=5, max_window_layers=1,
                          rope_theta=1000.0, rope_scaling={
        "type": "yarn", "factor": 2.0, "original_max_position_embeddings": 12, "beta_fast": 2.0, "beta_slow": 0.5,
        "mscale": 0.7, "mscale_all_dim": 0.3, "truncate": False}),
    "qwen3": named("qwen3", LLAMA, tie_word_embeddings=True, rope_theta=1000.0, rms_norm_eps=1e-6),
    "qwen3-window": named("qwen3", QWEN, attention_bias=True, use_sliding_window=True, sliding_window=4,
                          layer_types=["sliding_attention", "full_attention"], rope_parameters={
        "rope_type": "yarn", "rope_theta": 100.0, "factor": 4.0, "attention_factor": 1.3, "beta_fast": 8.0,
        "original_max_position_embeddings": 16}),
    "gpt2-scaled": dict(
        architectures=["GPT2LMHeadModel"], model_type="gpt2", vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2,
        n_inner=40, n_positions=32, activation_function="gelu", layer_norm_epsilon=1e-5,
        scale_attn_by_inverse_layer_idx=True, scale_attn_weights=False, reorder_and_upcast_attn=False,
        tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0),
}
GRADIENTS = ["embed_tokens.weight", "layers.0.self_attn.q_proj.weight", "layers.0.self_attn.k_proj.weight",
             "layers.0.self_attn.k_proj.bias", "layers.1.self_attn.v_proj.bias", "layers.1.self_attn.o_proj.bias",
             "layers.0.self_attn.q_norm.weight", "layers.1.self_attn.k_norm.weight", "layers.1.mlp.gate_proj.weight",
             "layers.0.mlp.gate_proj.bias", "layers.1.mlp.down_proj.bias", "layers.0.input_layernorm.weight",
             "lm_head.weight", "wte.weight", "wpe.weight", "h.1.attn.c_attn.weight", "h.0.mlp.c_fc.bias"]


def spread(model, seed):
    """Weights large enough that every part of the model shows in the logits."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            noise = torch.randn(tensor.shape, generator=generator)
            is_norm = tensor.dim() == 1 and name.endswith("weight")
            tensor.copy_(1 + 0.2 * noise if is_norm else 0.35 * noise)


def make(name, config, seed):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    read = AutoConfig.from_pretrained(folder)
    model = AutoModelForCausalLM.from_config(read, attn_implementation="sdpa").float()
    spread(model, seed)
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    if config.get("tie_word_embeddings"):
        state.pop("lm_head.weight")

    def opened(dtype=torch.float64):
        fresh = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), attn_implementation="sdpa")
        fresh.load_state_dict(state, strict=False)
        fresh.tie_weights()
        return fresh.to(dtype).eval()

    generator = torch.Generator().manual_seed(seed + 1)
    ids = torch.randint(3, VOCABULARY, (2, TOKENS), generator=generator)
    out = {"a.input_ids": ids[:1]}
    model = opened()
    result = model(ids[:1], labels=ids[:1])
    result.loss.backward()
    out["a.logits"] = result.logits
    for key, tensor in model.named_parameters():
        if key.removeprefix("model.").removeprefix("transformer.") in GRADIENTS:
            out[f"grad.{key}"] = tensor.grad
    single = opened(torch.float32)(ids[:1]).logits
    with torch.no_grad():
        right = ids.clone()
        right[1, SHORT:] = 0
        seen = (torch.arange(TOKENS)[None] < torch.tensor([[TOKENS], [SHORT]])).long()
        out |= {"b.input_ids": right, "b.attention_mask": seen, "b.logits": opened()(right, attention_mask=seen).logits}
        left = torch.stack([right[0], torch.roll(right[1], TOKENS - SHORT)])
        mask = torch.stack([seen[0], torch.roll(seen[1], TOKENS - SHORT)])
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        logits = opened()(left, attention_mask=mask, position_ids=positions).logits
        out |= {"c.input_ids": left, "c.attention_mask": mask, "c.position_ids": positions, "c.logits": logits}
        margin = 1e9
        for key, prompt in [("short", ids[:1, :9]), ("long", ids[:1, :17])]:
            run = opened().generate(prompt, max_new_tokens=NEW, do_sample=False, pad_token_id=0, eos_token_id=None,
                                    output_logits=True, return_dict_in_generate=True)
            out |= {f"greedy.{key}.prompt": prompt, f"greedy.{key}.output": run.sequences[:, prompt.shape[1]:]}
            best = torch.stack(run.logits).topk(2, -1).values
            margin = min(margin, (best[..., 0] - best[..., 1]).min().item())
    if margin < 5e-3:
        return make(name, config, seed + 100)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    kept = {k: (v.to(torch.int32) if v.dtype == torch.int64 else v.detach().float()).contiguous() for k, v in out.items()}
    save_file(kept, folder / "expected.safetensors")
    facts = {"loss": result.loss.item(), "greedy_margin": margin, "seed": seed,
             "float32_difference": (single.double() - result.logits).abs().max().item()}
    (folder / "expected.json").write_text(json.dumps(facts, indent=2) + "\n")
    print(name, facts)


for number, (name, config) in enumerate(CASES.items()):
    make(name, config, 20240517 + number)
