import { defineConfig } from 'vitest/config';

/** Files that start processes or tell thousands of stories: `npm test` runs them, the gate, which must stay below half a minute, does not. */
const SLOW = [
  'test/adapters/directory/crash.test.ts',
  'test/adapters/directory/sealed.test.ts',
  'test/adapters/kubernetes/transport.test.ts',
  'test/adapters/kubernetes/watch.test.ts',
  'test/adapters/oci/hostile-registry.test.ts',
  'test/adapters/oci/logins.test.ts',
  'test/adapters/render-workers/render-workers.test.ts',
  'test/adapters/signatures/bent.test.ts',
  'test/adapters/sigstore/tuf-root.test.ts',
  'test/adapters/tools/limited-run.test.ts',
  'test/arrival/foreign.test.ts',
  'test/bench/generate.test.ts',
  'test/bench/validate.test.ts',
  'test/contracts/git-news.test.ts',
  'test/contracts/git.test.ts',
  'test/contracts/imports.test.ts',
  'test/contracts/inbox.test.ts',
  'test/contracts/isomorphic-git.test.ts',
  'test/contracts/signer.test.ts',
  'test/counting/counts.test.ts',
  'test/desired/hostile-rules.test.ts',
  'test/fuzz/fuzz.test.ts',
  'test/laws/registry-formats.test.ts',
  'test/laws/resolve.test.ts',
  'test/laws/schema-narrowing.test.ts',
  'test/loops/forge-merges.test.ts',
  'test/loops/tree-diff.test.ts',
  'test/model/declaration-format.test.ts',
  'test/render/honoured-fields.test.ts',
  'test/render/kubernetes-yaml.test.ts',
  'test/service/github-limits.test.ts',
  'test/service/intake.test.ts',
  'test/service/webhook-reading.test.ts',
  'test/stories/approvals.test.ts',
  'test/stories/capsule-signatures.test.ts',
  'test/stories/drift-kills.test.ts',
  'test/stories/errors.test.ts',
  'test/stories/hostile.test.ts',
  'test/stories/images.test.ts',
  'test/stories/kills.test.ts',
  'test/stories/late.test.ts',
  'test/stories/side-by-side.test.ts',
  'test/trust/ssh-signature.test.ts',
];

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
          exclude: ['test/programs/**', 'test/live/**', 'test/kill/**', ...SLOW],
          testTimeout: 60_000,
          pool: 'threads',
          // The sources keep nothing at module level, so files may share what they load: that is half of the time.
          isolate: false,
          // Two even on two cores, where the runner would take one.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'program',
          include: ['test/programs/**/*.test.ts', ...SLOW],
          // Many times what they take: a slow machine is no finding.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          pool: 'forks',
          fileParallelism: false,
        },
      },
      { test: { name: 'live', include: ['test/live/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 600_000, fileParallelism: false } },
      { test: { name: 'kill', include: ['test/kill/**/*.test.ts'], testTimeout: 3_600_000, hookTimeout: 600_000, fileParallelism: false } },
    ],
  },
});
