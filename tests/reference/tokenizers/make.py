"""Tiny tokenizers of every published kind, and what the Rust library `tokenizers` (0.23.2) makes of nasty strings.

    pip install tokenizers==0.23.2 sentencepiece==0.2.2 && python make.py

Writes KIND.json.gz: {"tokenizer": tokenizer.json, "rows": [{"text", "ids", "special", "decoded", "plain"}]}: ids of the text
without special tokens, ids with them, the text of the latter with and without special tokens; and "loose": ids drawn from a
fixed seed with their text. Everything is trained here, on the texts below; the map of `t5` is sentencepiece's nmt_nfkc.
"""
import base64
import gzip
import io
import json
import random
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

here = Path(__file__).parent
corpus = [
    "The patient takes 250 mg of aspirin twice a day. The doctor's note says: don't drive, it'll pass!",
    "患者每天服用阿司匹林250毫克，两次。患者情况良好，没有发烧。",
    "naïve café, Übermut, señor; 1,000,000 users @ 3.14 — “quoted” text… <b>bold</b>\n\n\n  indented\tcode(x) == y;",
    "Привет, как дела? こんにちは、世界。 안녕하세요 세계. مرحبا بالعالم 😀👍 it's they're we've I'm",
    "def f(a, b):\n    return a + b  # sum\n\nfor i in range(10):\n        print(i)\r\n",
] * 4

gpt2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
llama3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
qwen2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
o200k = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
alphabet = pre_tokenizers.ByteLevel.alphabet()
single = {"single": "<s> $A", "pair": "<s> $A $B"}


def special(*contents):
    return [AddedToken(c, special=True, normalized=False) for c in contents]


def byte_level(pre, vocabulary=420, normalizer=None, post=None, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = post
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False))
    return tokenizer


def make_gpt2():
    t = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
    t.add_special_tokens([AddedToken("<|endoftext|>", special=True, normalized=True)])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def make_roberta():
    t = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True))
    t.add_special_tokens(special("<s>", "</s>") + [AddedToken("<mask>", lstrip=True, normalized=False, special=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>")))
    return t


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def bytes_after(*steps):
    return pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def make_llama3():
    t = byte_level(bytes_after(split(llama3)), ignore_merges=True)
    t.add_special_tokens(special("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"))
    bos = ("<|begin_of_text|>", t.token_to_id("<|begin_of_text|>"))
    template = processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|> $B", special_tokens=[bos])
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return t


def make_qwen2():
    t = byte_level(bytes_after(split(qwen2)), normalizer=normalizers.NFC())
    t.add_special_tokens(special("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    t.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("<think>", normalized=False), AddedToken("é́", normalized=True)])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def make_smollm():
    t = byte_level(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]))
    t.add_special_tokens(special("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    return t


def make_deepseek():
    pre = bytes_after(split(r"[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?[\p{P}\p{S}]+"), split(r"[一-龥ࠀ-一가-퟿]+"), pre_tokenizers.Digits(True))
    t = byte_level(pre, normalizer=normalizers.Sequence([]))
    t.add_special_tokens(special("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"))
    bos = ("<｜begin▁of▁sentence｜>", t.token_to_id("<｜begin▁of▁sentence｜>"))
    t.post_processor = processors.TemplateProcessing(single=[bos[0], "$A"], pair=[bos[0], "$A", bos[0], "$B"], special_tokens=[bos])
    return t


def make_o200k():
    t = byte_level(bytes_after(split(o200k)))
    t.add_special_tokens(special("<|endoftext|>", "<|end|>"))
    return t


def pieces(pre, normalizer, decoder, vocabulary=420, prefix=""):
    """BPE with byte fallback, trained on words that carry their mark, merged without a pre-tokenizer."""
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    first = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    common = [c.replace("안", "").replace("مرحبا", "").replace("👍", "") for c in corpus]
    t.train_from_iterator(common, trainers.BpeTrainer(vocab_size=vocabulary + 256, special_tokens=first, limit_alphabet=110, show_progress=False))
    made = json.loads(t.to_str())
    made["added_tokens"] = made["added_tokens"][:3]
    for token in made["added_tokens"]:
        token["normalized"] = False
    t = Tokenizer.from_str(json.dumps(made))
    t.normalizer, t.pre_tokenizer, t.decoder = normalizer, pre, decoder
    t.post_processor = processors.TemplateProcessing(**single, special_tokens=[("<s>", 1)])
    return t


def fallback(*last):
    return decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *last])


def make_llama2():
    legacy = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t = pieces(None, legacy, fallback(decoders.Strip(" ", 1, 0)))
    t.add_special_tokens([AddedToken("<pad>", special=True, normalized=True)])
    return t


def make_mistral():
    t = pieces(pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False), None, fallback(decoders.Strip(" ", 1, 0)))
    t.add_special_tokens(special("[INST]", "[/INST]"))
    return t


def make_gemma():
    t = pieces(pre_tokenizers.Split(" ", "merged_with_previous"), normalizers.Replace(" ", "▁"), fallback())
    t.add_special_tokens(special("<start_of_turn>", "<end_of_turn>"))
    t.add_tokens([AddedToken("\n\n", normalized=False), AddedToken("▁▁", normalized=False)])
    return t


def unigram(normalizer, pre, **model):
    t = Tokenizer(models.Unigram())
    t.normalizer, t.pre_tokenizer = normalizer, pre
    t.train_from_iterator([c.replace("안", "").replace("👍", "") for c in corpus], trainers.UnigramTrainer(
        vocab_size=260, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False))
    made = json.loads(t.to_str())
    if model.get("byte_fallback"):
        made["model"]["byte_fallback"] = True
        made["model"]["vocab"] += [[f"<0x{b:02X}>", -20.0] for b in range(256)]
    t = Tokenizer.from_str(json.dumps(made))
    t.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return t


def make_t5():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_writer=model, vocab_size=150,
                                             normalization_rule_name="nmt_nfkc", character_coverage=1.0, minloglevel=2)
    spec = proto.ModelProto.FromString(model.getvalue()).normalizer_spec
    t = unigram(normalizers.Precompiled(spec.precompiled_charsmap), pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", prepend_scheme="always")]))
    t.decoder = decoders.Metaspace("▁", prepend_scheme="always")
    t.add_special_tokens(special("<extra_id_0>", "<extra_id_1>"))
    return t


def make_albert():
    steps = [normalizers.Replace("``", '"'), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(),
             normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip(left=False, right=True)]
    t = unigram(normalizers.Sequence(steps), pre_tokenizers.Metaspace("▁", prepend_scheme="always"), byte_fallback=True)
    t.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace("▁", prepend_scheme="always")])
    t.add_tokens([AddedToken("Doctor", single_word=True, normalized=True), AddedToken("[cut]", lstrip=True, rstrip=True)])
    return t


def make_bert():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    t.normalizer = normalizers.BertNormalizer()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=260, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False))
    t.decoder = decoders.WordPiece("##", cleanup=True)
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return t


added = ["<s>", "</s>", "<unk>", "<pad>", "<mask>", "<|endoftext|>", "<|begin_of_text|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>",
         "<tool_call>", "é́", "[INST]", "[/INST]", "<end_of_turn>", "<extra_id_0>", "Doctor", "[cut]", "<｜User｜>", "<0x41>", "[SEP]"]
texts = [
    "", " ", "  ", "   a", "a   ", " a b ", "\n", "\n\n", "\n\n\n\n", " \n ", "\r\n", "\t\tx", "x\n\n  y", "a  b   c    d",
    "The patient takes 250 mg of aspirin.", "the doctor's note: don't, I'LL, they'Ve", "患者每天服用阿司匹林。", "，。！？", "每天 250 毫克",
    "😀", "😀👍🏽", "👩‍👩‍👧‍👦 family", "e\u0301 \u00e9 \u0301", "ﬁ ﬂ ① Ⅳ ½ ㎏ ｱｲｳ ＡＢＣ", "naïve café Übermut", "ZALGO z̷̢̛a̴l̶g̸o̵", "Привет", "안녕하세요", "مرحبا",
    "नमस्ते", "ก็ว่า", "\u00a0nbsp\u00a0", "\u3000wide\u3000", "\u2028line\u2029", "\u0085next", "\ufeffbom", "\u200bzero\u200d", "\u0000nul\u0001",
    "\ufffd", "\ue000\U0010ffff", "\U00020000 𠮷", "▁▁ ▁a", "a▁b", "  ▁", "Σίσυφος ΌΣΟΣ", "İstanbul ǅ ß", "``quoted''", "1234567890", "3.14159e-10",
    "1,000,000", "٣٤٥ ¼ Ⅷ", "https://example.com/a?b=c&d=%20", "def f(a):\n    return  a\n\n\n", "<b>not</b> <special>", "a" * 60, "啊" * 40, " " * 40 + "x",
    "!!!???...", "-----", "don't won't it's", "Doctor Doctors xDoctor Doctor.", "CamelCaseHTTPServer", "snake_case_name", "a\u0300\u0301\u0302b",
] + [f"a {t} b" for t in added] + [f"{t}{t} x{t}y\n{t}" for t in added] + ["".join(added), " ".join(added)]


def rows(t):
    for text in texts:
        ids = t.encode(text, add_special_tokens=False).ids
        whole = t.encode(text).ids
        yield {"text": text, "ids": ids, "special": whole, "decoded": t.decode(whole, skip_special_tokens=False), "plain": t.decode(whole)}


def loose(t, seed):
    draw = random.Random(seed)
    size = t.get_vocab_size()
    byte_ids = [i for i in (t.token_to_id(f"<0x{b:02X}>") for b in range(256)) if i is not None]
    for n in range(60):
        ids = [draw.choice(byte_ids) if byte_ids and draw.random() < 0.6 else draw.randrange(size) for _ in range(1 + n % 12)]
        yield {"ids": ids, "decoded": t.decode(ids, skip_special_tokens=False)}


for name, make in [(n[5:], f) for n, f in list(globals().items()) if n.startswith("make_")]:
    t = make()
    made = {"tokenizer": json.loads(t.to_str()), "rows": list(rows(t)), "loose": list(loose(t, 7))}
    with gzip.GzipFile(here / f"{name}.json.gz", "wb", 9, mtime=0) as file:
        file.write(json.dumps(made, ensure_ascii=True).encode())
    print(name, t.get_vocab_size(), (here / f"{name}.json.gz").stat().st_size)
