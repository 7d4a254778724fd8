import { defineConfig } from 'vitest/config';

/** Three suites: `unit` (the gate), `story` (whole programs on this machine, still no foreign server), `live` (needs real servers). */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    watch: false,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/programs/**', 'test/live/**', 'test/kill/**'],
          testTimeout: 20_000,
          pool: 'threads',
        },
      },
      {
        test: {
          name: 'program',
          include: ['test/programs/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          pool: 'forks',
          fileParallelism: false,
        },
      },
      { test: { name: 'live', include: ['test/live/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 600_000, fileParallelism: false } },
      { test: { name: 'kill', include: ['test/kill/**/*.test.ts'], testTimeout: 3_600_000, hookTimeout: 600_000, fileParallelism: false } },
    ],
  },
});
