import type { DesiredEnvironment } from '#model/desired.ts';
import { createMemo } from '#model/memo.ts';
import { SEALED_LIMIT } from '#model/sealed.ts';
import type { SealedFile } from '#model/sealed.ts';
import { isRegular } from './listing.ts';
import type { FoundFile, Lister } from './listing.ts';

/** Gives environments the encrypted files that their secrets name. */
export interface SealedReading {
  /** Undefined where no environment names one. */
  into(environments: readonly DesiredEnvironment[], found: readonly FoundFile[]): Promise<readonly DesiredEnvironment[] | undefined>;
}

/** Reads a file once for each content. */
export function createSealedReading(lister: Lister): SealedReading {
  const known = createMemo<SealedFile>(1_000);

  async function into(environments: readonly DesiredEnvironment[], found: readonly FoundFile[]) {
    const named = new Map(
      environments.flatMap((environment) => {
        const paths = pathsOf(environment);
        return paths.size === 0 ? [] : [[environment, paths] as const];
      }),
    );
    if (named.size === 0) return undefined;
    const wanted = new Set([...named].flatMap(([{ name }, paths]) => [...paths].map((path) => `environments/${name}/${path}`)));
    const files = new Map(found.filter((file) => wanted.has(file.path) && isRegular(file)).map((file) => [file.path, file]));
    const contents = await lister.contents([...files.values()].filter((file) => known.get(file.id) === undefined));
    for (const [blob, bytes] of contents) {
      if (bytes.byteLength <= SEALED_LIMIT) known.set(blob, { blob, text: Buffer.from(bytes).toString('utf8') });
    }
    return environments.map((environment): DesiredEnvironment => {
      const paths = named.get(environment);
      if (paths === undefined) return environment;
      const own = [...paths].flatMap((path) => {
        const file = files.get(`environments/${environment.name}/${path}`);
        const content = file === undefined ? undefined : known.get(file.id);
        return content === undefined ? [] : [[path, content] as const];
      });
      return { ...environment, sealed: new Map(own) };
    });
  }

  return { into };
}

function pathsOf(environment: DesiredEnvironment): ReadonlySet<string> {
  const sources = Object.values(environment.declared.value.spec.secrets ?? {}).flatMap((secrets) => Object.values(secrets));
  return new Set(sources.flatMap(({ provider, path }) => (provider === 'sops' && path !== undefined ? [path] : [])));
}
