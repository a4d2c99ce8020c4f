"""Model directories as transformers writes them, adapters as PEFT writes them, and what they compute.

usage: python make.py  (PyTorch 2.13, transformers 5.17, PEFT 0.21, CPU, seeds below)

models/NAME: tiny models with random weights; shards, number formats and reward heads as published ones have them.
adapters/NAME: adapters with random values on the golden checkpoint that stands first in their name.
Every folder has expected.safetensors: `input_ids` i64 (B, T), and `logits` (B, T, V) or, of reward models, `rewards` (B),
computed in float64 from the stored weights and rounded once.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    GPT2Config,
    GPT2ForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    Qwen2Config,
    Qwen2ForCausalLM,
)

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"


def randomize(parameters, generator, scale=0.2):
    for parameter in parameters:
        parameter.data += scale * torch.randn(parameter.shape, generator=generator).to(parameter.dtype)


def expect(model, ids, folder, reward):
    with torch.no_grad():
        logits = model.double().eval()(input_ids=ids).logits
    values = {"rewards": logits[:, 0]} if reward else {"logits": logits}
    save_file(
        {"input_ids": ids, **{k: v.float().contiguous() for k, v in values.items()}},
        folder / "expected.safetensors",
    )


def write_model(name, model, dtype, seed, reward=False, **options):
    generator = torch.Generator().manual_seed(seed)
    randomize(model.parameters(), generator)
    model.to(dtype)
    folder = HERE / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, **options)
    (folder / "generation_config.json").unlink(missing_ok=True)
    ids = torch.randint(3, model.config.vocab_size, (2, 9), generator=generator)
    # Read again: in a model that was cast, the rotary frequencies were rounded too.
    expect(type(model).from_pretrained(folder, attn_implementation="eager", dtype=torch.float32), ids, folder, reward)


def models():
    sizes = dict(
        vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=32, attn_implementation="eager", pad_token_id=0,
    )  # fmt: skip
    gpt2 = dict(vocab_size=40, n_embd=16, n_layer=2, n_head=2, n_positions=32, attn_implementation="eager",
                pad_token_id=0, bos_token_id=1, eos_token_id=2)  # fmt: skip
    llama = LlamaConfig(**sizes, tie_word_embeddings=False)
    write_model("llama-bf16-shards", LlamaForCausalLM(llama), torch.bfloat16, 1, max_shard_size="4KB")
    qwen2 = Qwen2Config(**sizes, tie_word_embeddings=True)
    write_model("qwen2-f16", Qwen2ForCausalLM(qwen2), torch.float16, 2)
    reward = LlamaConfig(**sizes, num_labels=1)
    write_model("llama-reward", LlamaForSequenceClassification(reward), torch.float32, 3, True)
    reward = GPT2Config(**gpt2, num_labels=1)
    write_model("gpt2-reward", GPT2ForSequenceClassification(reward), torch.float32, 4, True)


def base(name, auto, **options):
    # Alone in a folder: beside an adapter_config.json transformers would load that adapter too.
    with tempfile.TemporaryDirectory() as folder:
        for file in ("config.json", "model.safetensors"):
            shutil.copy(GOLDEN / name / file, folder)
        return auto.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32, **options)


def write_adapter(name, seed, auto=AutoModelForCausalLM, task="CAUSAL_LM", **options):
    golden = name.split("-")[0]
    reward = task == "SEQ_CLS"
    given = {"r": 3, "lora_alpha": 5, "fan_in_fan_out": golden == "gpt2", "task_type": task, **options}
    torch.manual_seed(seed)
    original = base(golden, auto, **({"num_labels": 1, "pad_token_id": 0} if reward else {}))
    model = get_peft_model(original, LoraConfig(**given))
    generator = torch.Generator().manual_seed(seed)
    randomize((p for _, p in model.named_parameters() if p.requires_grad), generator, 0.1)
    for settings in model.peft_config.values():
        settings.base_model_name_or_path = f"golden/{golden}"
    folder = HERE / "adapters" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    ids = load_file(GOLDEN / golden / "expected.safetensors")["a.input_ids"]
    expect(model, ids, folder, reward)


def adapters():
    write_adapter("llama-saved", 11, target_modules=["q_proj", "v_proj"], modules_to_save=["embed_tokens", "lm_head"])
    write_adapter("llama-layers", 12, target_modules=["o_proj", "down_proj"], layers_to_transform=[1])
    write_adapter(
        "llama-regex",
        13,
        target_modules=r".*\.self_attn\.(q|v)_proj",
        use_rslora=True,
        rank_pattern={r"layers\.0\..*\.q_proj": 5, "v_proj": 2},
        alpha_pattern={r".*layers\.1.*": 9, "q_proj": 4},
    )
    write_adapter("llama-all-linear", 14, target_modules="all-linear", exclude_modules=["gate_proj"], use_dora=True, r=2)
    write_adapter("gpt2-bias-all", 15, target_modules=["c_attn", "mlp.c_proj"], bias="all")
    write_adapter("qwen2-bias-lora", 16, target_modules=["q_proj", "o_proj"], bias="lora_only")
    write_adapter("llama-reward", 17, AutoModelForSequenceClassification, "SEQ_CLS", target_modules=["q_proj", "v_proj"])


if __name__ == "__main__":
    models()
    adapters()
    for path in HERE.rglob("*.json"):
        text = json.dumps(json.loads(path.read_text()), indent=1, sort_keys=True)
        path.write_text(text + "\n")
