"""Adapters that PEFT makes on the golden checkpoints, and what it computes with them.

usage: python make.py  (PyTorch 2.13, transformers 5.17, PEFT 0.21, CPU, seed 20240517)

Every folder holds what PeftModel.save_pretrained wrote (float32) and expected.safetensors: `logits` of the golden
batch `a`, its mean `loss`, `grad.<tensor>` of every trained tensor, all computed in float64 and rounded once;
`start.<tensor>`: values that PEFT gave the tensor where they follow from the base's weights; `mask.<module>`: the
dropout mask of that module's input.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"
MODULES = {"llama": ["q_proj", "v_proj"], "qwen2": ["q_proj", "v_proj"], "gpt2": ["c_attn"]}


def base(name):
    # Alone in a folder: beside an adapter_config.json transformers would load that adapter too.
    with tempfile.TemporaryDirectory() as folder:
        for file in ("config.json", "model.safetensors"):
            shutil.copy(GOLDEN / name / file, folder)
        return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)


def short(name):
    """The name under which a tensor is saved."""
    return name.replace(".default", "")


class Mask(torch.nn.Module):
    """Stands for nn.Dropout, with a mask that is known."""

    def __init__(self, mask):
        super().__init__()
        self.mask = mask

    def forward(self, x):
        return x * self.mask.to(x.dtype)


def config(name, **options):
    given = {"r": 4, "lora_alpha": 8, "target_modules": MODULES[name], "fan_in_fan_out": name == "gpt2"}
    return LoraConfig(task_type="CAUSAL_LM", **{**given, **options})


def disturb(model, generator):
    """Trained values, as far as anyone can tell: start values with noise."""
    for _, parameter in trained(model):
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data += 0.1 * noise
    return model


def trained(model):
    return [(n, p) for n, p in model.named_parameters() if p.requires_grad]


def save(model, folder, **options):
    model.save_pretrained(folder, **options)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    text = json.loads(path.read_text())
    text["base_model_name_or_path"] = None
    text["target_modules"] = sorted(text["target_modules"])
    path.write_text(json.dumps(text, indent=2, sort_keys=True) + "\n")


def measure(model, name):
    expected = load_file(GOLDEN / name / "expected.safetensors")
    ids = expected["a.input_ids"].long()
    model = model.double()
    result = model(input_ids=ids, labels=ids)
    result.loss.backward()
    out = {"logits": result.logits[0], "loss": result.loss.reshape(1)}
    for key, parameter in trained(model):
        out[f"grad.{short(key)}"] = parameter.grad
    return {key: value.detach().float().contiguous() for key, value in out.items()}


def make(folder, name, starts=(), masked=False, **options):
    generator = torch.Generator().manual_seed(20240517)
    torch.manual_seed(20240517)
    target = HERE / folder
    shutil.rmtree(target, ignore_errors=True)
    model = get_peft_model(base(name), config(name, **options))
    out = {}
    for key, parameter in trained(model):
        if any(word in key for word in starts):
            out[f"start.{short(key)}"] = parameter.detach().clone()
    pissa = options.get("init_lora_weights") == "pissa"
    if pissa:
        save(model, target / "start")
    disturb(model, generator)
    if pissa:
        # The adapter that is loaded on the original base: rank 2 r, as PEFT converts it.
        save(model, target, path_initial_model_for_weight_conversion=str(target / "start"))
        shutil.rmtree(target / "start")
        for key, parameter in trained(model):
            out[f"trained.{short(key)}"] = parameter.detach().clone()
    else:
        save(model, target)
    if masked:
        model.train()
        for key, module in model.named_modules():
            if key.endswith(("q_proj", "v_proj", "c_attn")):
                kept = torch.rand(16, module.in_features, generator=generator) < 0.5
                mask = kept.float() * 2
                module.lora_dropout["default"] = Mask(mask)
                out[f"mask.{key.removeprefix('base_model.model.')}"] = mask
    else:
        model.eval()
    out.update(measure(model, name))
    save_file({key: value.contiguous().clone() for key, value in out.items()}, target / "expected.safetensors")


for name in ("llama", "gpt2"):
    make(f"{name}-dora", name, use_dora=True, starts=["magnitude"])
    make(f"{name}-dora-dropout", name, use_dora=True, lora_dropout=0.5, masked=True)
    make(f"{name}-pissa", name, init_lora_weights="pissa", starts=["lora_A", "lora_B"])
make("llama-embed", "llama", target_modules=["q_proj", "embed_tokens"])
make("llama-embed-head-dora", "llama", target_modules=["embed_tokens", "lm_head"], use_dora=True, starts=["magnitude"])
make("gpt2-embed-tied", "gpt2", target_modules=["c_attn", "wte", "lm_head"], ensure_weight_tying=True)
make("qwen2-embed-tied", "qwen2", target_modules=["embed_tokens"], ensure_weight_tying=True)
make(
    "llama-ranks",
    "llama",
    target_modules=["q_proj", "v_proj", "down_proj"],
    r=2,
    lora_alpha=4,
    rank_pattern={"q_proj": 6, "down_proj": 3},
    alpha_pattern={"q_proj": 12, "down_proj": 6},
)
make(
    "llama-pissa-dora",
    "llama",
    init_lora_weights="pissa",
    use_dora=True,
    starts=["magnitude", "lora_A", "lora_B"],
    use_rslora=True,
)
