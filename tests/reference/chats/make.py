"""Conversations as transformers (5.17.0, jinja2 3.1.6) renders and tokenizes them with the templates beside this file.

    pip install transformers==5.17.0 && python make.py

The templates are written for this test after the manners of published ones. Writes chats.json.gz: {template: {"kind": the tokenizer
of ../tokenizers/KIND.json.gz, "names", "rows": [{"messages", "prompt", "text", "ids", "mask"} or {"messages", "prompt", "error"}]}}; `mask` where the
template marks answers. The clock stands at 26 July 2024.
"""
import datetime
import gzip
import json
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

here = Path(__file__).parent


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


chat_template_utils.datetime = Clock
chatml = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
pieces = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
kinds = {
    "qwen2": ("qwen2", chatml), "qwen3": ("qwen2", chatml), "smollm2": ("smollm", {**chatml, "bos_token": "<|im_start|>"}), "smollm3": ("smollm", chatml),
    "generation": ("qwen2", chatml), "macros": ("qwen2", chatml), "llama2": ("llama2", pieces), "mistral": ("mistral", pieces), "zephyr": ("llama2", pieces),
    "llama3": ("llama3", {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}), "gemma": ("gemma", {"bos_token": "<s>", "eos_token": "</s>"}),
    "deepseek": ("deepseek", {"bos_token": "<｜begin▁of▁sentence｜>", "eos_token": "<｜end▁of▁sentence｜>"}),
    "phi3": ("o200k", {"eos_token": "<|endoftext|>"}),
}


def turns(*contents, system=None):
    first = [] if system is None else [{"role": "system", "content": system}]
    return first + [{"role": ("user", "assistant")[i % 2], "content": c} for i, c in enumerate(contents)]


conversations = [
    turns("What is asthma?"),
    turns("What is asthma?", "A disease of the airways."),
    turns("What is asthma?", "A disease.", system="Be brief."),
    turns("hi", "yes 患者", "and 5?", "no  ", "so", " maybe\n"),
    turns("hi", "yes", "and", system=" spaced "),
    turns("1 < 2?", "<think>\nOne is less.\n</think>\n\nYes.", "2 < 1?", "<think>Hm.</think>No."),
    turns("a", "", "b", "\n\nx\n\n"),
    turns("same", "same", "same", "same"),
    turns("say it", "Today Date: 26 Jul 2024 assistant\n", system="assistant"),
    turns("😀 e\u0301", "👍🏽 ﬁ", "\tq", "don't"),
    [{"role": "assistant", "content": "I begin."}, {"role": "user", "content": "go"}],
    [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}, {"role": "assistant", "content": "three"}],
]
made = {}
for path in sorted((here / "templates").glob("*.jinja")):
    kind, names = kinds[path.stem]
    with gzip.open(here.parent / "tokenizers" / f"{kind}.json.gz") as file:
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(json.load(file)["tokenizer"])), **names)
    tokenizer.chat_template = path.read_text()
    rows = []
    for messages in conversations:
        for prompt in (False, True):
            row = {"messages": messages, "prompt": prompt}
            try:
                row["text"] = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
                row["ids"] = tokenizer.apply_chat_template(messages, add_generation_prompt=prompt, return_dict=False)
                if "generation %}" in tokenizer.chat_template and not prompt:
                    row["mask"] = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)["assistant_masks"]
            except Exception as error:
                row["error"] = str(error)
            rows.append(row)
    made[path.stem] = {"kind": kind, "names": names, "rows": rows}
    print(path.stem, sum("error" in row for row in rows), repr(rows[2].get("text"))[:150])
with gzip.GzipFile(here / "chats.json.gz", "wb", 9, mtime=0) as file:
    file.write(json.dumps(made).encode())
