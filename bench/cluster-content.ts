import { PROJECT } from './content.ts';
import type { TextFile } from './content.ts';

/** What the measured objects say: each ConfigMap has its number, a revision that all share, and one of them a text of its own. */
export interface ClusterContent {
  readonly count: number;
  readonly revision: number;
  /** Data of the first object alone. */
  readonly first: string;
}

export const ENVIRONMENT = 'bench';
export const PER_CAPSULE = 100;
const PADDING = 'a small ConfigMap has about as much to say as this line, give or take a word';

/** The same objects that the repository of `clusterFiles` renders, a digest of their capsule's content aside. */
export function configMaps(content: ClusterContent, namespace: string): readonly ConfigMap[] {
  return Array.from({ length: content.count }, (_, at) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configMapName(at), namespace, annotations: annotationsOf(content, at) },
    data: dataOf(content, at),
  }));
}

export interface ConfigMap {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly annotations: Readonly<Record<string, string>> };
  readonly data: Readonly<Record<string, string>>;
}

function annotationsOf({ revision }: ClusterContent, at: number): Readonly<Record<string, string>> {
  return {
    'capstan.dev/content': revision.toString(16).padStart(12, '0'),
    'capstan.dev/instance': capsuleName(Math.floor(at / PER_CAPSULE)),
    'capstan.dev/version': '1.0.0',
  };
}

function configMapName(at: number): string {
  return `settings-${String(at).padStart(5, '0')}`;
}

export function dataOf({ revision, first }: ClusterContent, at: number): Readonly<Record<string, string>> {
  return { number: String(at), revision: String(revision), text: at === 0 ? first : PADDING };
}

export interface ClusterCapsule {
  readonly name: string;
  readonly version: string;
  /** Its files, by their path in the capsule. */
  readonly files: readonly TextFile[];
  /** The same by their path in the repository. */
  readonly below: readonly TextFile[];
}

/** The project, and capsules of `PER_CAPSULE` ConfigMaps each. */
export function clusterFiles({ count }: ClusterContent): {
  readonly declarations: readonly TextFile[];
  readonly capsules: readonly ClusterCapsule[];
} {
  const capsules = Array.from({ length: Math.ceil(count / PER_CAPSULE) }, (_, at) => {
    const name = capsuleName(at);
    const files = capsuleFiles(at, count);
    return { name, version: '1.0.0', files, below: files.map(({ path, text }) => ({ path: `capsules/${name}/${path}`, text })) };
  });
  return { declarations: [{ path: 'environments/project.yaml', text: PROJECT }], capsules };
}

/** One environment with one target, `driver` the lines below it. */
export function environmentText(
  { count, revision, first }: ClusterContent,
  { namespace, driver }: { readonly namespace: string; readonly driver: readonly string[] },
): string {
  const capsules = Array.from({ length: Math.ceil(count / PER_CAPSULE) }, (_, at) => {
    const own = at === 0 ? `        first: ${JSON.stringify(first)}\n` : '';
    return `    ${capsuleName(at)}:\n      version: ^1.0.0\n      config:\n        revision: ${revision}\n${own}`;
  });
  return `apiVersion: capstan.dev/v1alpha1
kind: Environment
metadata:
  name: ${ENVIRONMENT}
spec:
  risk: low
  tenancy:
    mode: shared
    namespace: ${namespace}
  targets:
    cluster:
${driver.map((line) => `      ${line}\n`).join('')}  capsules:${capsules.length === 0 ? ' {}' : ''}
${capsules.join('')}  promotion:
    merge: manual
  sync:
    interval: 10m
    prune: true
`;
}

function capsuleName(at: number): string {
  return `settings-${String(at).padStart(3, '0')}`;
}

function capsuleFiles(capsule: number, count: number): readonly TextFile[] {
  const name = capsuleName(capsule);
  const numbers = Array.from({ length: Math.min(PER_CAPSULE, count - capsule * PER_CAPSULE) }, (_, at) => capsule * PER_CAPSULE + at);
  return [
    { path: 'capsule.yaml', text: capsuleText(name) },
    { path: 'config.schema.json', text: SCHEMA },
    { path: 'templates/settings.yaml.hbs', text: numbers.map(templateOf).join('---\n') },
  ];
}

function capsuleText(name: string): string {
  return `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: ${name}
  version: 1.0.0
  title: ${name}
spec:
  type: service
  owner: team-apps
  lifecycle: production
  config:
    schema: config.schema.json
    defaults:
      revision: 0
      first: ${JSON.stringify(PADDING)}
`;
}

const SCHEMA = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "revision": { "type": "integer" },
    "first": { "type": "string" }
  }
}
`;

function templateOf(at: number): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${configMapName(at)}
data:
  number: "${at}"
  revision: "{{config.revision}}"
  text: ${at === 0 ? '{{config.first}}' : PADDING}
`;
}
