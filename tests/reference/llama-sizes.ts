/**
 * Sizes of the LLaMA models (https://arxiv.org/abs/2302.13971 table 2; widths and inner widths as in their configs), what
 * their linear layers take in NF4 with double quantization (4.127 bits a parameter) and the rest in bf16, computed by hand,
 * and what QLoRA reports for a model that is loaded (https://arxiv.org/abs/2305.14314 figure 6 and section 2: 7B 5,048 MB,
 * printed there as 5 to 6 GB; 10, 21 and 41 GB).
 */
export const llamaSizes = {
  '7B': {
    width: 4096,
    blocks: 32,
    heads: 32,
    inner: 11_008,
    parameters: 6_738_415_616,
    linearsGB: 3.34,
    restGB: 0.52,
    paperGB: 6,
  },
  '13B': {
    width: 5120,
    blocks: 40,
    heads: 40,
    inner: 13_824,
    parameters: 13_015_864_320,
    linearsGB: 6.55,
    restGB: 0.66,
    paperGB: 10,
  },
  '33B': {
    width: 6656,
    blocks: 60,
    heads: 52,
    inner: 17_920,
    parameters: 32_528_943_616,
    linearsGB: 16.56,
    restGB: 0.85,
    paperGB: 21,
  },
  '65B': {
    width: 8192,
    blocks: 80,
    heads: 64,
    inner: 22_016,
    parameters: 65_285_660_672,
    linearsGB: 33.41,
    restGB: 1.05,
    paperGB: 41,
  },
} as const;
