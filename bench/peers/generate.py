"""
The peer of generate.ts: greedy decoding of one row with a key/value cache, 30 layers of width 576, vocabulary 49,152, f32.
transformers' generate where it is installed, else a Llama in plain eager PyTorch. One JSON line; prefill is left out.
"""
import time

import measure

given = measure.options(layers=30, vocabulary=49152, prompt=64, steps=64)
import torch

torch.set_num_threads(given.threads)
torch.manual_seed(0)
try:
    import transformers
    library = f'transformers {transformers.__version__} generate'
except ImportError:
    transformers = None
    library = 'plain eager model'
ids = torch.randint(3, given.vocabulary, (1, given.prompt))


def plain():
    """Milliseconds of each token after the first."""
    from llama import Llama
    model = Llama(given.layers, given.vocabulary).eval()
    logits, cache = model(ids, last=True)
    milliseconds = []
    measure.begin_processor_time()
    for _ in range(given.steps):
        start = time.perf_counter()
        logits, cache = model(logits[:, -1].argmax(-1, keepdim=True), cache, last=True)
        milliseconds.append((time.perf_counter() - start) * 1000)
    return milliseconds


def library_generate():
    config = transformers.LlamaConfig(
        hidden_size=576, num_attention_heads=9, num_key_value_heads=3, intermediate_size=1536,
        num_hidden_layers=given.layers, vocab_size=given.vocabulary, max_position_embeddings=2048, tie_word_embeddings=True,
        bos_token_id=1, eos_token_id=2)
    model = transformers.LlamaForCausalLM(config).eval()
    stamps = []

    class Clock(transformers.StoppingCriteria):
        def __call__(self, tokens, scores, **_):
            if not stamps:
                measure.begin_processor_time()
            stamps.append(time.perf_counter())
            return torch.zeros(tokens.shape[0], dtype=torch.bool)

    count = given.steps + 1
    model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=count,
                   max_new_tokens=count, pad_token_id=0, stopping_criteria=transformers.StoppingCriteriaList([Clock()]))
    return [(b - a) * 1000 for a, b in zip(stamps, stamps[1:])]


with torch.inference_mode():
    times = library_generate() if transformers else plain()
measure.report(times, 1, library=f'torch {torch.__version__}, {library}')
