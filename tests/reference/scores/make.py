"""Writes a tiny random Llama with a tokenizer, a reward model on its body, and what transformers says of a few lines.

python make.py      (PyTorch 2.13, transformers 5.17, tokenizers; one thread, seed 7; computed in float64)
"""

import json
import os

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
)

HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = "Asthma is a disease of the airways. The airways swell and narrow. What is asthma? It is treated with inhalers. 哮喘"
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<s>", "</s>", "<|end|>", "<|user|>", "<|assistant|>"]

torch.manual_seed(7)
torch.set_num_threads(1)

raw = Tokenizer(models.BPE())
raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
raw.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=290, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
)
raw.train_from_iterator([TEXT] * 4, trainer)
raw.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=raw, bos_token="<s>", eos_token="</s>", pad_token="</s>", chat_template=TEMPLATE
)

settings = dict(
    vocab_size=len(tokenizer),
    hidden_size=16,
    intermediate_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=96,
    bos_token_id=0,
    eos_token_id=1,
    pad_token_id=1,
    initializer_range=0.4,
)
policy = LlamaForCausalLM(LlamaConfig(**settings))
policy.save_pretrained(f"{HERE}/policy")
tokenizer.save_pretrained(f"{HERE}/policy")
reward = LlamaForSequenceClassification(LlamaConfig(**settings, num_labels=1))
reward.save_pretrained(f"{HERE}/reward")
policy, reward = policy.double().eval(), reward.double().eval()
tokenizer = AutoTokenizer.from_pretrained(f"{HERE}/policy")


def score(ids, counted):
    with torch.no_grad():
        logits = policy(torch.tensor([ids])).logits[0]
    logprobs = torch.log_softmax(logits, -1)
    found = [logprobs[t - 1, ids[t]].item() for t in range(1, len(ids))]
    counting = [found[t - 1] for t in range(1, len(ids)) if counted[t]]
    return {"ids": ids, "logprobs": found, "loss": -sum(counting) / len(counting), "loss_tokens": len(counting)}


def of_text(text):
    ids = tokenizer(text)["input_ids"]
    return score(ids, [1] * len(ids))


def of_completion(prompt, completion):
    first = tokenizer(prompt)["input_ids"]
    rest = tokenizer(completion, add_special_tokens=False)["input_ids"]
    return score(first + rest, [0] * len(first) + [1] * len(rest))


def of_chat(messages):
    """The answer and the end of its turn count."""
    opening = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, return_dict=False)
    answer = tokenizer(messages[-1]["content"] + "<|end|>", add_special_tokens=False)["input_ids"]
    whole = tokenizer.apply_chat_template(messages, return_dict=False)
    assert opening + answer == whole
    return score(whole, [0] * len(opening) + [1] * len(answer))


def reward_of(ids):
    with torch.no_grad():
        return {"ids": ids, "reward": reward(torch.tensor([ids])).logits[0, 0].item()}


question, answer = "What is asthma?", " It is a disease of the airways."
chat = [{"role": "user", "content": question}, {"role": "assistant", "content": "A disease."}]
lines = [
    {"text": TEXT},
    {"text": "哮喘"},
    {"prompt": question, "completion": answer},
    {"prompt": chat[:1], "completion": chat[1:]},
    {"ids": list(range(5, 101))},
]
expected = [
    of_text(TEXT),
    of_text("哮喘"),
    of_completion(question, answer),
    of_chat(chat),
    score(list(range(5, 101)), [1] * 96),
]
rewards = [reward_of(list(range(5, 101))), reward_of([9]), reward_of([3, 17, 200, 4])]
reward_lines = [{"ids": r["ids"]} for r in rewards]
with open(f"{HERE}/expected.json", "w") as file:
    json.dump(
        {"lines": lines, "expected": expected, "reward_lines": reward_lines, "rewards": rewards},
        file,
        ensure_ascii=False,
        indent=1,
    )
    file.write("\n")
