"""
The peer of nanogpt-step.ts: a training step (forward, backward, clipping, AdamW) of nanoGPT's CPU configuration in plain
eager PyTorch: 4 layers, 4 heads, width 128, 12 × 64 characters of 65. One JSON line.
"""
import measure

given = measure.options(layers=4, heads=4, width=128, batch=12, tokens=64, vocabulary=65, steps=40)
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(given.threads)
torch.manual_seed(0)
SDPA = hasattr(F, 'scaled_dot_product_attention')
MASK = torch.full((given.tokens, given.tokens), float('-inf')).triu(1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        width = given.width
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        split = lambda y: y.view(batch, tokens, given.heads, width // given.heads).transpose(1, 2)
        query, key, value = map(split, self.qkv(self.norm1(x)).split(width, 2))
        if SDPA:
            y = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        else:
            scores = torch.matmul(query, key.transpose(-1, -2)) * (width // given.heads) ** -0.5 + MASK
            y = torch.matmul(F.softmax(scores, -1), value)
        x = x + self.out(y.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.place = nn.Embedding(given.vocabulary, given.width), nn.Embedding(given.tokens, given.width)
        self.blocks = nn.Sequential(*(Block() for _ in range(given.layers)))
        self.norm = nn.LayerNorm(given.width)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids):
        x = self.blocks(self.token(ids) + self.place(torch.arange(ids.shape[1])))
        return F.linear(self.norm(x), self.token.weight)


model = Gpt()
decayed = [p for p in model.parameters() if p.dim() > 1]
others = [p for p in model.parameters() if p.dim() <= 1]
optimizer = torch.optim.AdamW(
    [dict(params=decayed, weight_decay=0.1), dict(params=others, weight_decay=0.0)], lr=1e-3, betas=(0.9, 0.99))
losses = []


def step():
    text = torch.randint(0, given.vocabulary, (given.batch, given.tokens + 1))
    loss = F.cross_entropy(model(text[:, :-1]).view(-1, given.vocabulary), text[:, 1:].reshape(-1))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    losses.append(loss.item())


for _ in range(3):
    step()
times = measure.time_each(given.steps, step)
measure.report(times, given.batch * given.tokens, library=f'torch {torch.__version__}, plain eager model',
               firstLoss=losses[0], lastLoss=losses[-1])
