import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // One less than there are processors is what Vitest takes; on two that is a third slower.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    setupFiles: ['tests/property-seed.ts'],
    // Programs are checked between passes.
    env: { FTC_VERIFY: '1' },
  },
});
