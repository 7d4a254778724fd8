import { createHash } from 'node:crypto';

/** Everything the generated repository says is a function of these. */
export interface Shape {
  /** Environments with their targets, the entry environment first. */
  readonly environments: readonly { readonly name: string; readonly targets: readonly string[] }[];
  readonly capsules: number;
}

export interface TextFile {
  readonly path: string;
  readonly text: string;
}

const REGIONS = ['eu-1', 'eu-2', 'us-1', 'us-2'];

/** Four environments; ten units a capsule (1, 1, 4 and 4 targets) where that divides the number, else four (one target each). */
export function shapeOf(units: number): Shape {
  const perCapsule = units % 10 === 0 ? 10 : 4;
  if (units < perCapsule || units % perCapsule !== 0) throw new Error(`${units} units: a multiple of 10 or of 4 is needed`);
  const wide = perCapsule === 10 ? REGIONS : REGIONS.slice(0, 1);
  return {
    environments: [
      { name: 'dev', targets: ['local'] },
      { name: 'staging', targets: ['eu-staging'] },
      { name: 'prod', targets: wide },
      { name: 'prod2', targets: wide },
    ],
    capsules: units / perCapsule,
  };
}

export function capsuleName(index: number): string {
  return `app-${String(index).padStart(5, '0')}`;
}

/** Files of one version of a capsule, below its directory. */
export function capsuleFiles(name: string, version: string, seed: string): readonly TextFile[] {
  return [
    { path: 'capsule.yaml', text: capsuleYaml(name, version, imageDigest(name, version, seed)) },
    { path: 'config.schema.json', text: SCHEMA },
    { path: 'templates/settings.yaml.hbs', text: TEMPLATE },
  ];
}

export function imageDigest(name: string, version: string, seed: string): string {
  return createHash('sha256').update(`${seed}/${name}@${version}`).digest('hex');
}

/** Project and environments; no trust is declared, so that unsigned commits run and say so. */
export function declarationFiles(shape: Shape): readonly TextFile[] {
  return [
    { path: 'environments/project.yaml', text: PROJECT },
    ...shape.environments.map((environment, at) => ({
      path: `environments/${environment.name}/environment.yaml`,
      text: environmentYaml(environment, { capsules: shape.capsules, from: shape.environments[at - 1]?.name }),
    })),
  ];
}

/** Files that no declaration speaks of, to make a repository as large as a real one. */
export function unmanagedFiles(count: number): readonly TextFile[] {
  return Array.from({ length: count }, (_, at) => ({
    path: `docs/notes/${String(at % 100).padStart(2, '0')}/note-${at}.md`,
    text: `# Note ${at}\n\nNothing here is a declaration.\n`,
  }));
}

export const PROJECT = `apiVersion: capstan.dev/v1alpha1
kind: Project
metadata:
  name: bench
  title: Bench
spec:
  branches:
    default: main
    rendered: rendered/{environment}
    audit: audit
  teams:
    team-apps:
      users:
        - ada
`;

function environmentYaml(
  environment: Shape['environments'][number],
  facts: { readonly capsules: number; readonly from: string | undefined },
): string {
  const isEntry = facts.from === undefined;
  const targets = environment.targets
    .map(
      (target) =>
        `    ${target}:\n      driver: directory\n      path: ${environment.name}/${target}\n      labels:\n        region: ${target}\n`,
    )
    .join('');
  const capsules = Array.from({ length: facts.capsules }, (_, index) => {
    const policy = isEntry ? '      updatePolicy: latest\n' : '';
    const config = index % 4 === 0 ? `      config:\n        logLevel: ${isEntry ? 'debug' : 'warn'}\n` : '';
    return `    ${capsuleName(index)}:\n      version: ^1.0.0\n${policy}${config}`;
  }).join('');
  const from = isEntry ? '' : `    from:\n      environments:\n        - ${facts.from}\n`;
  return `apiVersion: capstan.dev/v1alpha1
kind: Environment
metadata:
  name: ${environment.name}
  labels:
    stage: ${isEntry ? 'development' : 'production'}
spec:
  risk: ${isEntry ? 'low' : 'medium'}
  tenancy:
    mode: shared
    namespace: bench-${environment.name}
  targets:
${targets}  capsules:
${capsules}  promotion:
${from}    merge: manual
  sync:
    interval: 10m
    prune: true
`;
}

function capsuleYaml(name: string, version: string, image: string): string {
  return `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: ${name}
  version: ${version}
  title: ${name}
spec:
  type: service
  owner: team-apps
  lifecycle: production
  components:
    web:
      kind: Deployment
      image: registry.example.com/apps/${name}@sha256:${image}
      env:
        LOG_LEVEL:
          config: logLevel
      ports:
        http:
          port: 8080
      probes:
        readiness:
          httpGet:
            port: http
            path: /readyz
      resources:
        cpu:
          request: 50m
          limit: 100m
        memory:
          request: 64Mi
          limit: 128Mi
      scaling:
        replicas: 2
  provides:
    http:
      protocol: http
      port: http
      outputs:
        url: http://{{name}}.{{namespace}}.svc:8080
  config:
    schema: config.schema.json
    defaults:
      workers: 4
`;
}

const SCHEMA = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "logLevel": { "type": "string", "enum": ["debug", "info", "warn"], "default": "info" },
    "workers": { "type": "integer", "minimum": 1, "maximum": 64, "default": 2 }
  }
}
`;

const TEMPLATE = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{concat name "-settings"}}
data:
  settings.json: {{json config}}
`;
