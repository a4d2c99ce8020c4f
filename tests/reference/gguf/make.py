"""Numbers that the tests of GGUF compare with. Made with gguf 0.19.0 (llama.cpp's own Python package) and tokenizers:

    python make.py

blocks.json      numbers, and their bytes as gguf's quantizers write them
other.gguf       a small file that gguf's writer wrote
tokenizers.json  tokenizers trained with the library `tokenizers`, cut as published models cut, and its ids of some texts
"""
import base64
import json
import os

import numpy as np
from gguf import GGMLQuantizationType as Type, GGUFWriter, quants
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))


def save(name, value):
    with open(os.path.join(HERE, name), 'w', encoding='utf-8') as file:
        json.dump(value, file, ensure_ascii=False)
        file.write('\n')


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def blocks():
    draw = np.random.default_rng(7)
    rows = [draw.standard_normal(32) * scale for scale in (1, 0.02, 1e-3, 300, 1e-7, 3e-5)]
    rows += [np.zeros(32), np.full(32, -1.0), np.arange(-16, 16), np.arange(-127, 129, 8) / 2]
    rows += [np.where(np.arange(32) == 5, -3.5, 3.5), np.linspace(-1, 1, 32), np.sign(draw.standard_normal(32)) * 0.5]
    rows += [draw.standard_normal(32) for _ in range(51)]
    numbers = np.stack(rows).astype(np.float32)
    result = {'numbers': text(numbers)}
    for name, kind in (('f16', Type.F16), ('q8_0', Type.Q8_0), ('q4_0', Type.Q4_0)):
        data = quants.quantize(numbers, kind)
        back = quants.dequantize(data, kind)
        result[name] = {'bytes': text(data), 'mse': float(np.mean((back.astype(np.float64) - numbers) ** 2))}
    save('blocks.json', result)


def other():
    writer = GGUFWriter(os.path.join(HERE, 'other.gguf'), 'llama')
    writer.add_name('made elsewhere')
    writer.add_context_length(77)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_bool('x.bool', True)
    writer.add_int64('x.i64', -(2**40))
    writer.add_float64('x.f64', 0.1)
    writer.add_int8('x.i8', -5)
    writer.add_uint16('x.u16', 65535)
    writer.add_array('x.texts', ['a', '', '你好'])
    writer.add_array('x.integers', [1, -2, 3])
    values = np.arange(-64, 64, dtype=np.float32).reshape(2, 64) / 16
    writer.add_tensor('a', values)
    writer.add_tensor('b', values.astype(np.float16))
    for name, kind in (('c', Type.Q8_0), ('d', Type.Q4_0)):
        writer.add_tensor(name, quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


TEXTS = [
    'The patient takes 250 mg of aspirin twice a day. The patient is well, and says "thank you".\n\n',
    '患者每天服用阿司匹林250毫克，两次。患者情况良好，血压正常。The patient患者\r\n',
    "It's the patient's dose; they'll take it 😀😀 \t naïve café\n",
    '医生说：“请多喝水，注意休息。”（每日三次）然后患者回家了……今天天气很好；明天也是。\n',
    'def add(a, b):\n    return a + b\n\nprint(add(1, 2))  # adds two numbers\n',
    'What is the answer? The answer is 42. This is the other answer: yes, it is (really).\n',
] * 3

PROMPTS = [
    'The patient takes aspirin.',
    "It's not what they'll say, don't you think?",
    "'the' and 'tis, \"quoted\" (in brackets)",
    '患者每天服用阿司匹林。你好，世界！',
    '中文和English混排text文字ok',
    '1234567890 3.14159 1,000,000',
    'a  b   c    d   ',
    '   leading',
    'line\nline\n\nline\r\n\tindented\n\n\n',
    '😀 emoji 👍 naïve café',
    '“你好”，‘是’——……（好）',
    '<|im_start|>user\nHello<|im_end|>\n',
    'extra<|extra|>word',
]

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
END = r' ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+'
LLAMA3 = CONTRACTIONS + r'|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|' + END
QWEN2 = CONTRACTIONS + r'|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|' + END
SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']


def split(pattern):
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), 'isolated'), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )


def byte_level(pre, normalizer=None, ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_tokens([AddedToken('<|extra|>', normalized=False, special=False)])
    return tokenizer


def sentence_pieces():
    """As Llama 2's: every pair of pieces that makes a piece is a merge, in the order of the pieces."""
    start = Tokenizer(models.BPE(unk_token='<unk>', byte_fallback=True, fuse_unk=True))
    start.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ['<unk>', '<s>', '</s>'] + [f'<0x{byte:02X}>' for byte in range(256)]
    alphabet = sorted({letter for line in TEXTS for letter in line if letter.isascii() and letter not in ' \n\r\t'} | {'▁'})
    trainer = trainers.BpeTrainer(
        vocab_size=480, special_tokens=special, limit_alphabet=len(alphabet) + 20, initial_alphabet=alphabet, show_progress=False
    )
    start.train_from_iterator(TEXTS, trainer)
    vocabulary = start.get_vocab()
    rank = {token: id for token, id in vocabulary.items() if token not in special}
    merges = [
        (token[:cut], token[cut:])
        for token in sorted(rank, key=rank.get)
        for cut in range(1, len(token))
        if token[:cut] in rank and token[cut:] in rank
    ]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token='<unk>', byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend('▁'), normalizers.Replace(' ', '▁')])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace('▁', ' '), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(' ', 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in ('<unk>', '<s>', '</s>')])
    tokenizer.post_processor = processors.TemplateProcessing(single='<s> $A', special_tokens=[('<s>', vocabulary['<s>'])])
    return tokenizer


def tokenizers_():
    byte = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made = {
        'gpt-2': byte_level(byte),
        'llama-bpe': byte_level(split(LLAMA3), ignore_merges=True),
        'qwen2': byte_level(split(QWEN2), normalizers.NFC()),
        'smollm': byte_level(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte])),
        'sentencepiece': sentence_pieces(),
    }
    save(
        'tokenizers.json',
        {
            name: {
                'json': json.loads(tokenizer.to_str()),
                'ids': [[prompt, tokenizer.encode(prompt, add_special_tokens=False).ids] for prompt in PROMPTS],
            }
            for name, tokenizer in made.items()
        },
    )


blocks()
other()
tokenizers_()
