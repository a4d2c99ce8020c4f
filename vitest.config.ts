import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Whole pipelines take longest: begun last, one of them would run by itself at the end. */
class PipelinesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isPipeline = ({ moduleId }: TestSpecification) => moduleId.includes('/tests/pipelines/');
    return [...sorted.filter(isPipeline), ...sorted.filter((file) => !isPipeline(file))];
  }
}

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // One less than there are processors is what Vitest takes; on two that is a third slower.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: PipelinesFirst },
    setupFiles: ['tests/property-seed.ts'],
    // Programs are checked between passes.
    env: { FTC_VERIFY: '1' },
  },
});
