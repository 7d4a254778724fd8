import type { LeftOut, Luggage, Mapped } from '#model/arrival.ts';
import type { CapsuleDraft, Drafts } from './drafts.ts';
import { familiesOf, familyCapsule, filesBelow, namespaceIn, namespaceOf, overlayPath, rootsOf } from './families.ts';
import type { Family } from './families.ts';
import { kustomizationsOf } from './kustomizations.ts';
import type { Kustomization } from './kustomizations.ts';
import { folderNames, nameOf } from './naming.ts';
import { environmentIn } from './paths.ts';
import { environmentsOf } from './stages.ts';
import type { Run } from './stages.ts';

interface Wish {
  readonly namespace: string;
  readonly environment: string;
}

/** Bases and overlays: a capsule for those that belong together, an environment for each overlay. */
export function fromKustomize(luggage: Luggage, wish: Wish): Drafts {
  const leftOut: LeftOut[] = [...luggage.unread];
  const mapped: Mapped[] = [];
  const all = kustomizationsOf(luggage, leftOut);
  const families = familiesOf(rootsOf(all, leftOut), all, leftOut);
  const names = folderNames(
    luggage.name,
    families.map((family) => family.folder),
  );
  const runs: Run[] = [];
  const capsules: CapsuleDraft[] = [];
  const taken = new Set<string>();
  for (const family of families) {
    const name = names.get(family.folder) ?? nameOf(family.folder);
    const draft = familyCapsule(luggage, family, name, leftOut);
    capsules.push(draft);
    for (const path of family.members.flatMap((member) => filesBelow(luggage, member.folder))) taken.add(path);
    for (const root of family.roots) {
      const environment = environmentName(family, root, wish);
      const overlay = overlayPath(family, root);
      const namespace = namespaceOf(root, all, new Set()) ?? namespaceIn(luggage, root, all) ?? wish.namespace;
      const config = family.roots.length > 1 ? { overlay } : undefined;
      runs.push({
        environment,
        instance: name,
        namespace,
        draft: { capsule: name, request: config === undefined ? {} : { config }, config: undefined },
      });
      mapped.push({ file: root.file, line: undefined, what: 'an overlay', to: `environments/${environment}/environment.yaml` });
    }
  }
  for (const path of [...luggage.files.keys()].sort()) {
    if (!taken.has(path) && !leftOut.some((one) => one.file === path))
      leftOut.push({ file: path, line: undefined, what: 'a file', why: 'is in no folder of a kustomization' });
  }
  return {
    capsules,
    environments: environmentsOf(runs, {
      comment: (name) => [`What \`kustomize build\` gave ${luggage.name} for ${name}.`],
      sync: () => ({}),
    }),
    mapped: [
      ...mapped,
      ...capsules.map((capsule) => ({ file: '.', line: undefined, what: `${capsule.files.size} files`, to: `capsules/${capsule.name}` })),
    ],
    leftOut,
    origins: new Map(),
  };
}

/** `overlays/prod/eu` -> `prod-eu`; what stands alone is in the environment that was wished for. */
function environmentName(family: Family, root: Kustomization, wish: Wish): string {
  const path = overlayPath(family, root);
  if (path === '.') return wish.environment;
  return nameOf(environmentIn(path) ?? path.split('/').at(-1) ?? wish.environment);
}
