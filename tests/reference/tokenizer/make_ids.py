"""Ids that the Rust library `tokenizers` (0.23.2 when this was run) reads from tokenizer.json: writes ids.json.

    pip install tokenizers==0.23.2 && python make_ids.py

tokenizer.json was trained by ftc (400 entries, bilingual text); the texts are written out or drawn from a fixed seed.
"""
import json
import random
from pathlib import Path

from tokenizers import Tokenizer

here = Path(__file__).parent
tokenizer = Tokenizer.from_file(str(here / "tokenizer.json"))
pieces = ["a", "The", " patient", " ", "  ", "\n", "\r\n", "\t", "1", "250", "Ⅳ", "½", "患者", "〇", "々", "ー", "コ", "ひ",
          "한", "ｱ", "é", "e\u0301", "ß", "İ", "'s", "'LL", "'", ".", "，", "。", "😀", "👩‍👩‍👧", "\u200b", "\u00a0", "\u3000",
          "\u0085", "\u2028", "\u0000", "\u001b", "\ufeff", "<|user|>", "<|end|>", "<s>", "<|end", "ก", "ำ", "अ", "ि", "العربية",
          "\ue000", "\U0010ffff", "\U00020000", "⺀", "ﾞ", "_", "$", "("]
draw = random.Random(5)
texts = [
    "",
    "<|user|>How much aspirin?<|end|><|assistant|>250 mg twice a day.<|end|>",
    "患者每天服用阿司匹林250毫克。The doctor's note: don't, I'LL, 医生'll\r\n\r\n  x   y",
    "a" * 300,
    "患" * 300,
    " " * 300 + "x",
    "\n" * 300 + " ." * 3,
]
for _ in range(150):
    parts = []
    for _ in range(draw.randint(1, 25)):
        piece = draw.choice(pieces)
        parts.append(piece * draw.randint(1, 150) if draw.random() < 0.03 else piece)
    texts.append("".join(parts))
rows = []
for text in texts:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    rows.append({"text": text, "ids": ids})
lines = ",\n".join(json.dumps(row) for row in rows)
(here / "ids.json").write_text(f"[\n{lines}\n]\n")
