"""A Llama in plain eager PyTorch, for machines without transformers: RMSNorm, rotary, grouped queries, SwiGLU, tied head."""
import torch
import torch.nn.functional as F
from torch import nn

SDPA = hasattr(F, 'scaled_dot_product_attention')


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Lora(nn.Module):
    """y = base(x) + 2 · B A x; only A and B are trained."""

    def __init__(self, base, rank):
        super().__init__()
        self.base = base
        self.down = nn.Linear(base.in_features, rank, bias=False)
        self.up = nn.Linear(rank, base.out_features, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x)) * 2


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


def attend(query, key, value, mask, groups):
    """`mask`: additive, or None where every query sees every key."""
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    if SDPA:
        return F.scaled_dot_product_attention(query, key, value, is_causal=mask is not None)
    scores = torch.matmul(query, key.transpose(-1, -2)) * query.shape[-1] ** -0.5
    return torch.matmul(F.softmax(scores if mask is None else scores + mask, -1), value)


class Block(nn.Module):
    def __init__(self, width, heads, kv_heads, inner):
        super().__init__()
        self.heads, self.kv_heads, self.size = heads, kv_heads, width // heads
        linear = lambda i, o: nn.Linear(i, o, bias=False)
        self.norm1, self.norm2 = Norm(width), Norm(width)
        self.q, self.k = linear(width, width), linear(width, kv_heads * self.size)
        self.v, self.o = linear(width, kv_heads * self.size), linear(width, width)
        self.gate, self.up, self.down = linear(width, inner), linear(width, inner), linear(inner, width)

    def forward(self, x, cos, sin, mask, past):
        batch, tokens, width = x.shape
        split = lambda y, heads: y.view(batch, tokens, heads, self.size).transpose(1, 2)
        y = self.norm1(x)
        query, key = rotate(split(self.q(y), self.heads), cos, sin), rotate(split(self.k(y), self.kv_heads), cos, sin)
        value = split(self.v(y), self.kv_heads)
        if past is not None:
            key, value = torch.cat((past[0], key), 2), torch.cat((past[1], value), 2)
        y = attend(query, key, value, mask, self.heads // self.kv_heads)
        x = x + self.o(y.transpose(1, 2).reshape(batch, tokens, width))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y)), (key, value)


class Llama(nn.Module):
    def __init__(self, layers, vocabulary, width=576, heads=9, kv_heads=3, inner=1536, context=2048):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads, kv_heads, inner) for _ in range(layers))
        self.norm = Norm(width)
        size = width // heads
        angles = torch.outer(torch.arange(context), 10000 ** (-torch.arange(0, size, 2) / size))
        self.register_buffer('cos', torch.cat((angles, angles), 1).cos())
        self.register_buffer('sin', torch.cat((angles, angles), 1).sin())
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids, cache=None, last=False):
        """Logits of every position, or of the last; and the keys and values."""
        start = 0 if cache is None else cache[0][0].shape[2]
        tokens = ids.shape[1]
        cos, sin = self.cos[start:start + tokens], self.sin[start:start + tokens]
        mask = torch.full((tokens, tokens), float('-inf')).triu(1) if tokens > 1 else None
        x = self.embedding(ids)
        kept = []
        for i, block in enumerate(self.blocks):
            x, present = block(x, cos, sin, mask, None if cache is None else cache[i])
            kept.append(present)
        x = self.norm(x[:, -1:] if last else x)
        return F.linear(x, self.embedding.weight), kept

    def add_lora(self, rank):
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        for block in self.blocks:
            block.q, block.v = Lora(block.q, rank), Lora(block.v, rank)
