import { resolve } from 'node:path';

import { isJsonObject, valueAt } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { toSecret, type Secret } from '#model/secret.ts';
import { readBeginning } from './bounded-file.ts';
import { configurationProblem, textAt, type Draft } from './configuration-draft.ts';

export interface Secrets {
  /** By pointer of the place that names it. */
  readonly found: ReadonlyMap<string, Secret>;
  readonly missing: ReadonlyMap<string, Problem>;
}

const PLACES = [
  '/forge/token',
  '/forge/app/privateKey',
  '/forge/webhookSecret',
  '/forge/previousWebhookSecret',
  '/sops/ageKey',
  '/identity/signingKey/pkcs11/pin',
];
const LARGEST_SECRET = 65_536;

/** Reads every secret that the configuration names. */
export async function readSecrets(draft: Draft, env: Readonly<Record<string, string | undefined>>): Promise<Secrets> {
  const found = new Map<string, Secret>();
  const missing = new Map<string, Problem>();
  for (const pointer of PLACES) {
    if (!isJsonObject(valueAt(draft.value, pointer))) continue;
    const name = textAt(draft.value, `${pointer}/env`);
    const file = textAt(draft.value, `${pointer}/file`);
    const source = name === undefined ? `file ${file}` : `variable ${name}`;
    const text = name === undefined ? await fileText(resolve(draft.directory, file ?? '')) : env[name];
    if (text !== undefined && text.trim() !== '') found.set(pointer, toSecret(text.replace(/\r?\n$/, '')));
    else missing.set(pointer, unreadable(draft, pointer, source));
  }
  return { found, missing };
}

function unreadable(draft: Draft, pointer: string, source: string): Problem {
  const isVariable = source.startsWith('variable');
  return configurationProblem(
    'secret-unreadable',
    draft.at(pointer),
    `${pointer} is in ${source}, which is ${isVariable ? 'not set' : 'absent, unreadable, empty or too large'}`,
    isVariable ? 'Set the variable for this process.' : 'Write the file and let this process read it.',
  );
}

async function fileText(path: string): Promise<string | undefined> {
  try {
    const bytes = await readBeginning(path, LARGEST_SECRET);
    return bytes.byteLength > LARGEST_SECRET ? undefined : Buffer.from(bytes).toString('utf8');
  } catch {
    // Absent, forbidden or a directory: the caller says in which place it is named.
    return undefined;
  }
}
