/**
 * Writes github-openapi.generated.json out of the npm package @octokit/openapi (385 MB unpacked, so it is fetched into a temporary folder and
 * only two of its files are unpacked). `node test/forge/generate-openapi.ts [FOLDER OF THE UNPACKED PACKAGE]`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, type Description } from '#test/forge/github-description.ts';

export const GENERATED = new URL('github-openapi.generated.json', import.meta.url);

/** Generates from a fresh copy of the newest package. */
export function generateFromRegistry(): Description {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-openapi-'));
  try {
    const archive = execFileSync('npm', ['pack', '--silent', '@octokit/openapi'], { cwd: folder, encoding: 'utf8' }).trim();
    const wanted = ['package/package.json', 'package/generated/api.github.com.json', 'package/generated/ghes-*.json'];
    execFileSync('tar', ['-xzf', archive, '--wildcards', '--exclude=*.deref.json', ...wanted], { cwd: folder });
    return generateFrom(join(folder, 'package'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function generateFrom(folder: string): Description {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const api = JSON.parse(readFileSync(join(folder, 'generated/api.github.com.json'), 'utf8'));
  const newest = readdirSync(join(folder, 'generated'))
    .filter((name) => /^ghes-[0-9.]+\.json$/.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
  const enterprise = JSON.parse(readFileSync(join(folder, 'generated', newest ?? 'ghes.json'), 'utf8'));
  return describe(api, enterprise, { source: `@octokit/openapi ${version}`, generated: new Date().toISOString().slice(0, 10) });
}

if (process.argv[1]?.endsWith('generate-openapi.ts') === true) {
  const folder = process.argv[2];
  const description = folder === undefined ? generateFromRegistry() : generateFrom(folder);
  writeFileSync(GENERATED, `${JSON.stringify(description)}\n`);
}
