/** Codes of quantized weights as numbers. */
import { tableOf } from '../../quantization/code-tables.ts';
import { dequantizeBlocks } from '../../quantization/dequantize-blocks.ts';
import { bitsOfCode } from '../../quantization/quantized-tensor.ts';
import type { Kernel } from './value.ts';

/** In float32 also where values are held in f64: the products are rounded by definition. */
export const dequantize: Kernel<'dequantize'> = (out, [codes, absmax], { format, block }) => {
  const values = new Float32Array(out.data.length);
  dequantizeBlocks(
    {
      codes: codes!.data as Uint8Array,
      bits: bitsOfCode(format),
      table: tableOf(format),
      block,
      absmax: Float32Array.from(absmax!.data),
      start: 0,
      end: values.length,
    },
    values,
  );
  out.data.set(values);
};
