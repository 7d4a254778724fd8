import type { Capsule, Device, Environment, EnvironmentLock, Fleet, Policy, Project } from '#model/declarations.generated.ts';
import type { Declared, TargetDeclaration } from '#model/desired.ts';
import type { JsonObject } from '#model/json.ts';

/** One file that parsed and obeyed its schema; `environment` and `name` are what its path says. */
export type ParsedDocument =
  | { readonly kind: 'project'; readonly declared: Declared<Project> }
  | { readonly kind: 'environment'; readonly environment: string; readonly declared: Declared<Environment> }
  | { readonly kind: 'lock'; readonly environment: string; readonly declared: Declared<EnvironmentLock> }
  | { readonly kind: 'target'; readonly environment: string; readonly name: string; readonly declared: Declared<TargetDeclaration> }
  | { readonly kind: 'config'; readonly environment: string; readonly name: string; readonly declared: Declared<JsonObject> }
  | { readonly kind: 'fleet'; readonly environment: string; readonly declared: Declared<Fleet> }
  | { readonly kind: 'device'; readonly environment: string; readonly declared: Declared<Device> }
  | { readonly kind: 'policy'; readonly declared: Declared<Policy> }
  | { readonly kind: 'capsule'; readonly name: string; readonly declared: Declared<Capsule> };

export type DocumentPath =
  | { readonly kind: 'project' | 'policy' }
  | { readonly kind: 'environment' | 'lock' | 'fleet' | 'device'; readonly environment: string }
  | { readonly kind: 'target' | 'config'; readonly environment: string; readonly name: string }
  | { readonly kind: 'capsule'; readonly name: string };

const PROJECT = /^environments\/project\.ya?ml$/;
const ENVIRONMENT_FILE = /^environments\/([^/]+)\/environment(\.lock)?\.ya?ml$/;
const ENVIRONMENT_FOLDER = /^environments\/([^/]+)\/(targets|config|fleets|devices)\/([^/]+)\.ya?ml$/;
const POLICY = /^policies\/[^/]+\.ya?ml$/;
const CAPSULE = /^capsules\/([^/]+)\/capsule\.ya?ml$/;

/** What a repository path declares; undefined when it is no declaration. */
export function documentPath(path: string): DocumentPath | undefined {
  if (PROJECT.test(path)) return { kind: 'project' };
  if (POLICY.test(path)) return { kind: 'policy' };
  const capsule = CAPSULE.exec(path);
  if (capsule !== null) return { kind: 'capsule', name: capsule[1] ?? '' };
  const file = ENVIRONMENT_FILE.exec(path);
  if (file !== null) return { kind: file[2] === undefined ? 'environment' : 'lock', environment: file[1] ?? '' };
  const folder = ENVIRONMENT_FOLDER.exec(path);
  if (folder === null) return undefined;
  const [, environment = '', section, name = ''] = folder;
  if (section === 'targets') return { kind: 'target', environment, name };
  if (section === 'config') return { kind: 'config', environment, name };
  return { kind: section === 'fleets' ? 'fleet' : 'device', environment };
}
