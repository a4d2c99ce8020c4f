import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'],
    testTimeout: 60_000,
    pool: 'forks',
    setupFiles: ['tests/property-seed.ts'],
    // Programs are checked between passes.
    env: { FTC_VERIFY: '1' },
  },
});
