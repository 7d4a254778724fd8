import { resolve } from 'node:path';

import { parseImageRepository } from '#model/image.ts';
import { isJsonObject, valueAt, type Json } from '#model/json.ts';
import { textAt, type Draft } from './configuration-draft.ts';

/** How this machine reaches registries. */
export interface RegistriesConfiguration {
  /** Absolute folder of docker's `config.json`; undefined: where docker itself looks. */
  readonly dockerConfig: string | undefined;
  /** Host and port of registries that may be spoken to without TLS. */
  readonly allowHttp: ReadonlySet<string>;
  readonly mirrors: ReadonlyMap<string, { readonly at: readonly string[]; readonly isOnly: boolean }>;
  /** Capsules lie below it, each in a repository of its own name; undefined: nowhere. */
  readonly capsules: { readonly registry: string; readonly name: string } | undefined;
}

export function registriesOf({ value, directory }: Draft): RegistriesConfiguration {
  const folder = textAt(value, '/registries/dockerConfig');
  const mirrors = valueAt(value, '/registries/mirrors');
  const capsules = parseImageRepository(textAt(value, '/registries/capsules') ?? '');
  return {
    dockerConfig: folder === undefined ? undefined : resolve(directory, folder),
    allowHttp: new Set(textsOf(valueAt(value, '/registries/allowHttp')).map((host) => host.toLowerCase())),
    capsules: 'wrong' in capsules ? undefined : capsules,
    mirrors: new Map(
      Object.entries(isJsonObject(mirrors) ? mirrors : {}).map(([host, entry]) => [
        host.toLowerCase(),
        { at: textsOf(valueAt(entry, '/at')), isOnly: valueAt(entry, '/only') === true },
      ]),
    ),
  };
}

function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
