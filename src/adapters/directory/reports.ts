import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { toSha256 } from '#model/digest.ts';
import type { Sha256 } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import type { ReportedHealth } from '#model/plan.ts';
import { isPlain, OWN_FOLDER } from './below.ts';
import { codeOf } from './disk.ts';
import { readSmallJson } from './small-file.ts';

const LARGEST_REPORT = 64 * 1024;
const STATES = ['healthy', 'progressing', 'degraded'] as const;

/**
 * What consumers left in `.capstan/health/<path>.json` about `wanted` paths. A report that cannot be understood is not
 * silence: the object is then `progressing` until there is one that can.
 */
export async function readReports(base: string, wanted: ReadonlyMap<string, Sha256>): Promise<readonly ReportedHealth[]> {
  if ((await isPlain(base, [OWN_FOLDER, 'health'])) !== true) return [];
  const folder = join(base, OWN_FOLDER, 'health');
  const instances = new Set(await namesIn(folder));
  const reports: ReportedHealth[] = [];
  for (const [instance, paths] of Map.groupBy(wanted.keys(), (path) => path.slice(0, path.indexOf('/')))) {
    if (!instances.has(instance) || (await isPlain(folder, [instance])) !== true) continue;
    const files = new Set(await namesIn(join(folder, instance)));
    for (const path of paths) {
      if (!files.has(`${path.slice(instance.length + 1)}.json`)) continue;
      const report = await readReport(join(folder, `${path}.json`), path, wanted.get(path));
      if (report !== undefined) reports.push(report);
    }
  }
  return reports;
}

async function readReport(file: string, path: string, sha256: Sha256 | undefined): Promise<ReportedHealth | undefined> {
  if (sha256 === undefined) return undefined;
  const content = await readSmallJson(file, LARGEST_REPORT);
  if (content.kind === 'absent') return undefined;
  const report = content.kind === 'json' ? toReport(content.value, path) : content.why;
  if (typeof report !== 'string') return report;
  return { path, state: 'progressing', reason: `its health report cannot be used: ${report}`, sha256 };
}

function toReport(value: JsonObject, path: string): ReportedHealth | string {
  const { state: told, reason = '', sha256, status } = value;
  if (status !== undefined && !isJsonObject(status)) return 'its status is not an object';
  // A status says more than a word for it; who reads none of it has to wait.
  const state = told === undefined && status !== undefined ? 'progressing' : STATES.find((each) => each === told);
  if (state === undefined) return `its state is none of ${STATES.join(', ')}`;
  if (typeof reason !== 'string') return 'its reason is not text';
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return 'its sha256 is not a digest';
  return { path, state, reason, sha256: toSha256(sha256), ...(status === undefined ? {} : { status }) };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
