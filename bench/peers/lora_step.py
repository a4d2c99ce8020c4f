"""
The peer of lora-step.ts: a LoRA step (forward, backward, AdamW) of a Llama-like model of width 576, r=8 on q and v.
transformers and PEFT where they are installed, else a Llama in plain eager PyTorch. One JSON line.
"""
import measure

given = measure.options(layers=4, vocabulary=2048, batch=4, tokens=256, steps=8, answer=1, dtype='f32')
import torch
import torch.nn.functional as F

torch.set_num_threads(given.threads)
torch.manual_seed(0)
try:
    import peft
    import transformers
    library = f'transformers {transformers.__version__} + peft {peft.__version__}, sdpa'
except ImportError:
    transformers = None
    library = 'plain eager model'

ids = torch.randint(0, given.vocabulary, (given.batch, given.tokens))
labels = ids.clone()
# Only the last 1 / answer of each row carries loss.
labels[:, :given.tokens - given.tokens // given.answer] = -100
if transformers:
    config = transformers.LlamaConfig(
        hidden_size=576, num_attention_heads=9, num_key_value_heads=3, intermediate_size=1536, use_cache=False,
        num_hidden_layers=given.layers, vocab_size=given.vocabulary, max_position_embeddings=2048, tie_word_embeddings=True)
    config._attn_implementation = 'sdpa'
    adapter = peft.LoraConfig(r=8, lora_alpha=16, target_modules=['q_proj', 'v_proj'], task_type='CAUSAL_LM')
    base = transformers.LlamaForCausalLM(config)
    # bfloat16 is TRL's default; adapters in it too are quickest.
    low = given.dtype == 'bf16'
    model = peft.get_peft_model(base.to(torch.bfloat16) if low else base, adapter, autocast_adapter_dtype=not low)
    loss_of = lambda: model(input_ids=ids, labels=labels).loss
elif given.dtype == 'bf16':
    raise SystemExit('bfloat16 needs transformers and peft')
else:
    from llama import Llama
    model = Llama(given.layers, given.vocabulary)
    model.add_lora(8)

    def loss_of():
        logits, _ = model(ids)
        return F.cross_entropy(logits[:, :-1].reshape(-1, given.vocabulary), labels[:, 1:].reshape(-1))

model.train()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
losses = []


def step():
    loss = loss_of()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    losses.append(loss.item())


times = measure.time_each(given.steps, step)
measure.report(times, given.batch * given.tokens, library=f'torch {torch.__version__}, {library}, {given.dtype}',
               firstLoss=losses[0], lastLoss=losses[-1])
