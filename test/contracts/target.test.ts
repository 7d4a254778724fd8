import { openDirectoryBench } from './directory-bench.ts';
import { memoryTarget } from './memory-target.ts';
import { targetContract } from './target.contract.ts';

targetContract('directory', () => openDirectoryBench());

targetContract('memory', () => {
  const target = memoryTarget();
  return Promise.resolve({
    target,
    read: (path) => Promise.resolve(target.files.get(path)),
    put: (path, text) => Promise.resolve(void target.files.set(path, text)),
    remove: (path) => Promise.resolve(void target.files.delete(path)),
    report: (path, report) => Promise.resolve(void target.reports.set(path, { path, ...report })),
    loseInventory: () => Promise.resolve(void (target.inventory = undefined)),
  });
});
