import { defineConfig } from 'vitest/config';

/** Long tests of what training reaches, minutes each: `npm run proofs`. */
export default defineConfig({
  test: {
    include: ['tests/proofs/**/*.proof.ts'],
    testTimeout: 600_000,
    hookTimeout: 1_800_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
