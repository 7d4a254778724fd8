import type { ArrivedFile } from '#model/arrival.ts';
import { API_VERSION } from '#model/declaration-schemas.ts';
import { writeDeclaration } from '#model/declaration-text.ts';
import type { JsonObject } from '#model/json.ts';
import { compareText } from '#model/problem.ts';
import type { CapsuleDraft, Drafts, EnvironmentDraft } from './drafts.ts';
import { nameOf } from './naming.ts';

/** The line by which editors find the schema of a file that lies `depth` folders below the root. */
export function modeline(kind: string, depth: number): string {
  return `yaml-language-server: $schema=${'../'.repeat(depth)}schemas/${kind}.schema.json`;
}

/** Every file that drafts become, by path. */
export function filesOf(project: string, drafts: Drafts): readonly ArrivedFile[] {
  const head = { apiVersion: API_VERSION, kind: 'Project', metadata: { name: nameOf(project) }, spec: { branches: { default: 'main' } } };
  const files: ArrivedFile[] = [
    { path: 'environments/project.yaml', content: writeDeclaration(head, [modeline('project', 1)]), ifAbsent: true },
    ...drafts.capsules.flatMap((capsule) => capsuleFiles(capsule)),
    ...drafts.environments.flatMap((environment) => environmentFiles(environment)),
  ];
  return files.sort((a, b) => compareText(a.path, b.path));
}

function capsuleFiles(capsule: CapsuleDraft): readonly ArrivedFile[] {
  const folder = `capsules/${capsule.name}`;
  const declaration = {
    apiVersion: API_VERSION,
    kind: 'Capsule',
    metadata: { name: capsule.name, version: '1.0.0', description: capsule.description },
    spec: capsule.spec,
  };
  return [
    { path: `${folder}/capsule.yaml`, content: writeDeclaration(declaration, [modeline('capsule', 2)]), ifAbsent: false },
    ...[...capsule.files].map(([path, content]) => ({ path: `${folder}/${path}`, content, ifAbsent: false })),
  ];
}

function environmentFiles(environment: EnvironmentDraft): readonly ArrivedFile[] {
  const { name, targets, instances, secrets } = environment;
  const folder = `environments/${name}`;
  const requests = [...instances].map(([instance, draft]): [string, JsonObject] => [
    instance,
    { ...(draft.capsule === instance ? {} : { capsule: draft.capsule }), ...draft.request },
  ]);
  const spec: JsonObject = {
    risk: 'low',
    tenancy: { mode: 'shared', namespace: targets[0]?.namespace ?? 'default' },
    targets: Object.fromEntries(targets.map((target) => [target.name, target.value])),
    capsules: Object.fromEntries(requests),
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
    promotion: { from: { environments: environment.from }, merge: environment.from.length === 0 ? 'auto' : 'manual' },
    sync: environment.sync,
  };
  const declaration = { apiVersion: API_VERSION, kind: 'Environment', metadata: { name }, spec };
  const layers = [...instances].flatMap(([instance, draft]): ArrivedFile[] =>
    draft.config === undefined
      ? []
      : [{ path: `${folder}/config/${instance}.yaml`, content: writeDeclaration(draft.config), ifAbsent: false }],
  );
  return [
    {
      path: `${folder}/environment.yaml`,
      content: writeDeclaration(declaration, [modeline('environment', 2), ...environment.comment]),
      ifAbsent: false,
    },
    ...layers,
  ];
}
