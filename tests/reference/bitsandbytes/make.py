#!/usr/bin/python3
"""Four-bit tensors as bitsandbytes puts them into a state dict. -> checkpoint.safetensors, expected.safetensors

    make.py PATH      a source checkout of bitsandbytes (commit 95f9af30), run with PyTorch 1.13 on a CPU

The package itself wants a newer PyTorch, so the functions of its portable backend are taken out of its files by name and
run as they stand. checkpoint: what `Linear4bit` saves. expected: the weights before (`NAME.original`) and the float32
weights after (`NAME.dequantized`).
"""
import ast, functools, json, os, struct, sys
from typing import *
import torch

checkout, here = sys.argv[1], os.path.dirname(os.path.abspath(__file__))
space = dict(globals(), cache=functools.cache, prod=__import__('math').prod, name2qmap={})


def take(file, *names):
    with open(os.path.join(checkout, 'bitsandbytes', file)) as opened:
        body = ast.parse(opened.read()).body
    kept = [node for node in body if getattr(node, 'name', None) in names]
    assert len(kept) == len(names), file
    for node in kept:
        node.decorator_list = [d for d in node.decorator_list if 'cache' in ast.unparse(d)]
    exec(compile(ast.Module(kept, []), file, 'exec'), space)


def take_kernel(file, operation, name):
    """An anonymous kernel, by the name it is registered under."""
    with open(os.path.join(checkout, 'bitsandbytes', file)) as opened:
        body = ast.parse(opened.read()).body
    node, = [n for n in body if isinstance(n, ast.FunctionDef)
             and any(f'bitsandbytes::{operation}' in ast.unparse(d) for d in n.decorator_list)]
    node.name, node.decorator_list = name, []
    exec(compile(ast.Module([node], []), file, 'exec'), space)


take('utils.py', 'pack_dict_to_tensor', 'unpack_tensor_to_dict')
take('functional.py', 'create_dynamic_map', 'get_4bit_type', 'QuantState', 'quantize_blockwise', 'quantize_4bit',
     'dequantize_blockwise', 'dequantize_4bit')
space['_get_4bit_code'] = lambda kind, device: space['get_4bit_type'](kind, device=device)
take('backends/default/ops.py', '_get_4bit_quantize_bounds', '_dequantize_blockwise_compute', '_dequantize_4bit_compute')
for operation in ['quantize_blockwise', 'dequantize_blockwise', 'quantize_4bit', 'dequantize_4bit']:
    take_kernel('backends/default/ops.py', operation, f'kernel_{operation}')


class Operations:
    """Stands for torch.ops.bitsandbytes."""
    def __getattr__(self, name):
        return type('Operation', (), {'default': staticmethod(space[f'kernel_{name}'])})


class Torch:
    """torch, but for `torch.ops`, and with indices of 64 bits, the only ones PyTorch 1.13 takes."""
    int32 = torch.int64
    bucketize = staticmethod(lambda values, bounds, out_int32: torch.bucketize(values, bounds))
    ops = type('Ops', (), {'bitsandbytes': Operations()})()
    def __getattr__(self, name):
        return getattr(torch, name)


space['torch'] = Torch()
KINDS = {torch.uint8: 'U8', torch.float32: 'F32'}


def save(path, tensors):
    header, chunks, at = {}, [], 0
    for name, tensor in tensors.items():
        data = tensor.contiguous().numpy().tobytes()
        header[name] = dict(dtype=KINDS[tensor.dtype], shape=list(tensor.shape), data_offsets=[at, at + len(data)])
        chunks.append(data); at += len(data)
    text = json.dumps(header).encode()
    with open(path, 'wb') as opened:
        opened.write(struct.pack('<Q', len(text)) + text + b''.join(chunks))


generator = torch.Generator().manual_seed(20240517)
cases = [
    # name, shape, kind, block, double quantization, type of the weights, scale
    ('plain_nf4.weight', (24, 32), 'nf4', 64, False, torch.float32, 0.02),
    ('double_nf4.weight', (48, 80), 'nf4', 64, True, torch.bfloat16, 0.02),
    ('ragged_nf4.weight', (7, 45), 'nf4', 32, True, torch.float16, 0.5),
    ('small_nf4.weight', (16, 16), 'nf4', 128, True, torch.float32, 1e-5),
    ('nested_nf4.weight', (100, 90), 'nf4', 32, True, torch.float32, 3.0),
    ('plain_fp4.weight', (24, 32), 'fp4', 64, False, torch.float32, 0.02),
    ('double_fp4.weight', (33, 31), 'fp4', 64, True, torch.bfloat16, 1.0),
]
checkpoint, expected = {}, {}
for name, shape, kind, block, double, dtype, scale in cases:
    weight = (torch.randn(*shape, generator=generator) * scale).to(dtype)
    packed, state = space['quantize_4bit'](weight, blocksize=block, compress_statistics=double, quant_type=kind)
    checkpoint[name] = packed
    for key, value in state.as_dict(packed=True).items():
        checkpoint[f'{name}.{key}'] = value
    state.dtype = torch.float32
    expected[f'{name}.original'] = weight.float()
    expected[f'{name}.dequantized'] = space['dequantize_4bit'](packed, state)
    print(name, bytes(checkpoint[f'{name}.quant_state.bitsandbytes__{kind}'].numpy()).decode())
save(os.path.join(here, 'checkpoint.safetensors'), checkpoint)
save(os.path.join(here, 'expected.safetensors'), expected)
