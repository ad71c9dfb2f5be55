import { configDefaults, defineConfig } from 'vitest/config';

const common = {
  exclude: [...configDefaults.exclude, 'dist/**', '.test/**'],
  // Temporal's native module and its instanceof checks do not bear worker threads.
  pool: 'forks' as const,
  maxWorkers: 2,
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

/** What runs against real servers: a process for each file, the battery too. */
export const system = {
  ...common,
  globalSetup: ['test/support/global-setup.ts'],
  provide: { battery: 'small' as 'small' | 'whole' },
};

/** Pure code, beside what it tests: no servers, and files share a process, which loads the code once (decision 0035). */
const units = { ...common, isolate: false };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...units,
          name: 'units',
          include: ['{src,workflows,activities,simulators}/**/*.spec.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...system, name: 'system', include: ['test/**/*.spec.ts'], sequence: { groupOrder: 1 } } },
    ],
  },
});
