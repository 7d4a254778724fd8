import { toCommitId } from '#model/digest.ts';
import { importKey } from '#model/imports.ts';
import { visibleText } from '#model/quoted.ts';
import type { ReleasedCapsule } from '#model/resolution.ts';
import type { Asked, Clash } from './clash.ts';
import type { ResolveInput } from './resolve-input.ts';

/** An import that this clone does not have, or refuses. */
export interface NoImport {
  readonly name: string;
  readonly url: string;
  readonly commit: string;
  readonly reason: string | undefined;
  readonly dependency: string;
}

/** The one version that a capsule pins of another repository's, or why it is not to be had; undefined for a capsule of this repository. */
export function pinnedBy(
  input: Pick<ResolveInput, 'index'>,
  released: ReleasedCapsule,
  wanted: { readonly dependency: string; readonly name: string },
): string | NoImport | undefined {
  const imports = released.declaration.spec.imports ?? {};
  const pin = Object.hasOwn(imports, wanted.name) ? imports[wanted.name] : undefined;
  if (pin === undefined) return undefined;
  const found = input.index.imports?.get(importKey({ commit: toCommitId(pin.commit), path: pin.path }));
  if (found?.kind === 'here') return found.version;
  return { ...wanted, url: pin.url, commit: pin.commit, reason: found?.kind === 'refused' ? found.reason : undefined };
}

export function importClash(who: string, { name, url, commit, reason }: NoImport, asked: Asked): Clash {
  // Such an address is refused elsewhere; what it holds is nobody's to read.
  const address = url.replace(/^([a-z+]*:?\/\/)[^/?#]*@/iu, '$1').replace(/[?#].*$/su, '');
  return { kind: 'no-import', who, name, from: `${visibleText(address, 200)} at ${commit.slice(0, 12)}`, reason, asked };
}
