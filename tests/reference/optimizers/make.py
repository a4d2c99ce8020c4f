#!/usr/bin/python3
"""Parameters and states after some steps of SGD, Lion, Adafactor and 8-bit Adam. -> trajectories.json

    make.py PATH      a source checkout of bitsandbytes (commit 95f9af30), run with PyTorch 2.13 and transformers 5.17 on a CPU

SGD: torch.optim.SGD. Adafactor: transformers.optimization.Adafactor (algorithm 4 of the paper, without its scaling by the
parameter) and torch.optim.Adafactor (with it). Lion: algorithm 2 of its paper, restated here. All in float64, decay decoupled.
8-bit Adam: `optimizer_update_8bit_blockwise_pytorch` and `create_dynamic_map` of bitsandbytes, taken out of its files and run
as they stand.

Gradients are not stored: `numbers(seed, count)` makes them, here and in the test: mulberry32, sums of twelve.
"""
import ast, base64, json, math, os, sys
from typing import Optional
import numpy as np
import torch
from transformers.optimization import Adafactor as HuggingFaceAdafactor

checkout, here = sys.argv[1], os.path.dirname(os.path.abspath(__file__))
space = dict(torch=torch, math=math, Optional=Optional)


def take(file, *names):
    with open(os.path.join(checkout, 'bitsandbytes', file)) as opened:
        kept = [node for node in ast.parse(opened.read()).body if getattr(node, 'name', None) in names]
    assert len(kept) == len(names), file
    for node in kept:
        node.decorator_list = []
    exec(compile(ast.Module(kept, []), file, 'exec'), space)


take('functional.py', 'create_dynamic_map')
take('backends/triton/kernels_optim.py', '_dequantize_blockwise_pytorch', '_quantize_blockwise_pytorch',
     'optimizer_update_8bit_blockwise_pytorch')


def numbers(seed, count, scale):
    out, a = [], seed
    for _ in range(count):
        total = 0.0
        for _ in range(12):
            a = (a + 0x6D2B79F5) & 0xFFFFFFFF
            t = a
            t = ((t ^ (t >> 15)) * (t | 1)) & 0xFFFFFFFF
            t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
            total += ((t ^ (t >> 14)) & 0xFFFFFFFF) / 4294967296
        out.append(float(np.float32(scale * (total - 6))))
    return out


SHAPES, STEPS, LR, DECAY = dict(matrix=(5, 7), vector=(9,)), 6, 0.02, 0.1
size = lambda shape: int(np.prod(shape))
start = {n: numbers(i + 1, size(s), 0.5) for i, (n, s) in enumerate(SHAPES.items())}
gradient = lambda name, step: numbers(100 + 10 * step + list(SHAPES).index(name), size(SHAPES[name]), 0.1)


def run(make, decay=0.0):
    """Parameters after each step; `make` builds the optimizer, decay is applied before it."""
    out = []
    values = {n: torch.tensor(start[n], dtype=torch.float64).reshape(s).requires_grad_() for n, s in SHAPES.items()}
    optimizer = make(list(values.values()))
    for step in range(STEPS):
        for n, v in values.items():
            v.grad = torch.tensor(gradient(n, step), dtype=torch.float64).reshape(v.shape)
            if v.ndim >= 2:
                v.data.mul_(1 - LR * decay)
        optimizer.step()
        out.append({n: v.detach().flatten().tolist() for n, v in values.items()})
    return out


class Lion(torch.optim.Optimizer):
    def __init__(self, params, beta1, beta2):
        super().__init__(params, {})
        self.betas = beta1, beta2

    @torch.no_grad()
    def step(self):
        beta1, beta2 = self.betas
        for p in self.param_groups[0]['params']:
            m = self.state[p].setdefault('m', torch.zeros_like(p))
            c = beta1 * m + (1 - beta1) * p.grad
            p -= LR * torch.sign(c)
            m.mul_(beta2).add_((1 - beta2) * p.grad)


factor = lambda ps, **more: HuggingFaceAdafactor(ps, lr=LR, eps=(1e-30, 1e-3), scale_parameter=False, relative_step=False, **more)
result = dict(
    shapes=SHAPES, learning_rate=LR, decay=DECAY, start=start,
    cases={
        'sgd': run(lambda ps: torch.optim.SGD(ps, lr=LR)),
        'sgd momentum decay': run(lambda ps: torch.optim.SGD(ps, lr=LR, momentum=0.9), DECAY),
        'sgd nesterov': run(lambda ps: torch.optim.SGD(ps, lr=LR, momentum=0.9, nesterov=True)),
        'lion decay': run(lambda ps: Lion(ps, 0.9, 0.99), DECAY),
        'adafactor decay': run(lambda ps: factor(ps), DECAY),
        'adafactor beta1': run(lambda ps: factor(ps, beta1=0.9)),
        'adafactor clip 0.5 rate 0.6': run(lambda ps: factor(ps, clip_threshold=0.5, decay_rate=-0.6)),
        'adafactor scale': run(lambda ps: torch.optim.Adafactor(ps, lr=LR, beta2_decay=-0.8, eps=(1e-30, 1e-3), d=1.0)),
    })

f32 = lambda values: base64.b64encode(np.asarray(values, dtype='<f4').tobytes()).decode()
u8 = lambda values: base64.b64encode(np.asarray(values, dtype=np.uint8).tobytes()).decode()
signed, unsigned = (space['create_dynamic_map'](signed=s) for s in (True, False))
COUNT, SEED = 4500, 7
# Blocks of different sizes of numbers, and one without any gradient.
scales = torch.tensor([[1.0, 0.1, 1e-3, 1e-5, 0.0, 10.0][(i // 256) % 6] for i in range(COUNT)])
p = torch.tensor(numbers(SEED, COUNT, 0.5))
m, v = torch.zeros(COUNT, dtype=torch.uint8), torch.zeros(COUNT, dtype=torch.uint8)
absmax = [torch.zeros(math.ceil(COUNT / 256)) for _ in range(2)]
for step in range(5):
    g = torch.tensor(numbers(SEED + 1 + step, COUNT, 0.1)) * scales
    space['optimizer_update_8bit_blockwise_pytorch'](
        p, g, m, v, 0.9, 0.999, 0.0, 0.0, 1e-8, step + 1, LR, signed, unsigned, *absmax, DECAY, 1.0, False,
        optimizer_name='adam')
result['adam8bit'] = dict(count=COUNT, seed=SEED, steps=5, scales=[1.0, 0.1, 1e-3, 1e-5, 0.0, 10.0], parameters=f32(p), m=u8(m), v=u8(v),
                          m_absmax=f32(absmax[0]), v_absmax=f32(absmax[1]))
result['unsigned_dynamic_map'] = f32(unsigned)
with open(os.path.join(here, 'trajectories.json'), 'w') as file:
    json.dump(result, file)
