import { createRequire, enableCompileCache, flushCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';

import type { ThreadData } from './messages.ts';

// A thread has no compile cache of its own accord: without one it strips and compiles every module again, at each start.
const { compileCache } = workerData as ThreadData;
if (compileCache !== undefined) enableCompileCache(compileCache);
const ownModules = createRequire(import.meta.url)('../../own-modules.cjs') as { register(): void };
ownModules.register();
await import('./render-worker.ts');
// A thread is ended from outside, which would lose what it compiled.
if (compileCache !== undefined) flushCompileCache();
