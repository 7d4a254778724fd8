import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** Test data beside the repository: `CAPSTAN_TEST_DATA`, else `../shared/data`. */
export const TEST_DATA = process.env['CAPSTAN_TEST_DATA'] ?? join(import.meta.dirname, '..', '..', 'shared', 'data');

/**
 * Every file of three public projects that nobody here wrote, by its path; undefined, loudly, where the data is not on this machine.
 * In CI its absence is a failure: a check that is left out there is no check.
 */
export function foreignManifests(): ReadonlyMap<string, Uint8Array> | undefined {
  const archive = join(TEST_DATA, 'manifests', 'manifests.tar.xz');
  if (!existsSync(archive)) {
    const words = `${archive} is not there: set CAPSTAN_TEST_DATA to where the test data is`;
    if (process.env['CI'] !== undefined) throw new Error(words);
    process.stderr.write(`\n*** NOT TESTED: ${words}\n`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'capstan-manifests-'));
  try {
    execFileSync('tar', ['-xJf', archive, '-C', folder]);
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = entries.map((entry): [string, Uint8Array] => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path).replaceAll('\\', '/'), readFileSync(path)];
    });
    return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
