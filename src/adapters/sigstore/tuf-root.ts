import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { initTUF, TUFError } from '@sigstore/tuf';

import { sha256Of } from '#model/digest.ts';
import { PortError } from '#ports/port-error.ts';

const TARGET = 'trusted_root.json';
const TIMEOUT = 10_000;
const LARGEST_ROOT = 512 * 1024;

export interface TufSource {
  /** Address of the mirror: metadata there, targets below `/targets`. */
  readonly mirror: string;
  /** The root.json that trust starts from; there is no other beginning, the packaged ones included. */
  readonly rootFile: string;
  /** A folder of this machine that may be deleted at any time. */
  readonly cache: string;
}

/**
 * trusted_root.json by The Update Framework. What is in the cache is used until its metadata expires; only then the mirror is asked.
 * Another root.json means another cache: the library would go on with the old one.
 */
export async function trustedRootByTuf({ mirror, rootFile, cache }: TufSource): Promise<Uint8Array> {
  const root = await readFile(rootFile).catch((error: unknown) => {
    throw new PortError('missing', `the TUF root ${rootFile} cannot be read`, error);
  });
  if (root.length > LARGEST_ROOT) throw new PortError('invalid', `the TUF root ${rootFile} has more than ${LARGEST_ROOT} bytes`);
  const cachePath = join(cache, sha256Of(root).slice(0, 16));
  await mkdir(cachePath, { recursive: true });
  try {
    const tuf = await initTUF({
      mirrorURL: mirror.replace(/\/+$/, ''),
      rootPath: rootFile,
      cachePath,
      forceCache: true,
      retry: 1,
      timeout: TIMEOUT,
    });
    return Buffer.from(await tuf.getTarget(TARGET), 'utf8');
  } catch (error) {
    throw failureOf(error, mirror);
  }
}

/** What is wrong with the mirror is not its being away: only the latter is worth another try. */
function failureOf(error: unknown, mirror: string): PortError {
  const causes = causesOf(error);
  const names = new Set(causes.map(({ name, constructor }) => (name === 'Error' ? constructor.name : name)));
  const said = causes.map(({ message }) => message).join(': ');
  if (/expired/i.test(said))
    return new PortError(
      'invalid',
      `the TUF metadata of ${mirror} has expired: nobody renewed it, or an old state is shown (${said})`,
      error,
    );
  if (names.has('DownloadLengthMismatchError') || names.has('RepositoryError') || names.has('BadVersionError') || /length|hash/i.test(said))
    return new PortError('invalid', `what the TUF mirror ${mirror} serves is not what was signed: ${said}`, error);
  if (causes.some((cause) => cause instanceof TUFError && cause.code === 'TUF_FIND_TARGET_ERROR'))
    return new PortError('missing', `the TUF mirror ${mirror} has no ${TARGET}`, error);
  return new PortError('transient', `the TUF mirror ${mirror} cannot be asked: ${said}`, error);
}

function causesOf(error: unknown): readonly Error[] {
  const found: Error[] = [];
  for (let here: unknown = error; here instanceof Error && found.length < 8; here = here.cause) found.push(here);
  return found;
}
