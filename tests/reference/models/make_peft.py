"""Adapters that PEFT puts on every linear layer of the checkpoints here, and what it computes with them.

    python make_peft.py       (PyTorch 2.13, transformers 5.17, PEFT 0.21, CPU, one thread; after make.py)

NAME/adapter/ has what `save_pretrained` wrote, and expected.safetensors: logits and mean loss of batch `a` of NAME, gradients of the
adapter (float64, norms and rotary angles in float32, rounded once). Both halves of the adapter are random: a trained one's stand-in.
"""

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
HERE = Path(__file__).parent
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CONV1D = ["c_attn", "c_proj", "c_fc"]

for name in ["llama-bias", "mistral-window", "qwen2-window", "qwen3-window", "gpt2-scaled"]:
    base = AutoModelForCausalLM.from_pretrained(HERE / name, dtype=torch.float32, attn_implementation="sdpa")
    is_gpt2 = name.startswith("gpt2")
    settings = LoraConfig(r=2, lora_alpha=6, target_modules=CONV1D if is_gpt2 else LINEAR, lora_dropout=0.0,
                          fan_in_fan_out=is_gpt2, task_type="CAUSAL_LM")
    model = get_peft_model(base, settings)
    generator = torch.Generator().manual_seed(20240517)
    with torch.no_grad():
        for key, tensor in model.named_parameters():
            if tensor.requires_grad:
                tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
    model.peft_config["default"].base_model_name_or_path = name
    model.save_pretrained(HERE / name / "adapter")
    (HERE / name / "adapter" / "README.md").unlink(missing_ok=True)
    model = model.double().eval()
    ids = load_file(HERE / name / "expected.safetensors")["a.input_ids"].long()
    result = model(ids, labels=ids)
    result.loss.backward()
    out = {"logits": result.logits.detach().float(), "loss": result.loss.detach().float().reshape(1)}
    for key, tensor in model.named_parameters():
        if tensor.requires_grad:
            out[f"grad.{key.replace('.default.', '.')}"] = tensor.grad.float().contiguous()
    save_file(out, HERE / name / "adapter" / "expected.safetensors")
    print(name, out["loss"].item(), len(out))
