import { parse } from 'yaml';

import type { Capsule } from '#model/declarations.generated.ts';
import { sha256Of, toCommitId, toTreeId } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { canonicalJson } from '#model/json.ts';
import { toCapsuleName, toEnvironmentName, toInstanceName, toTargetName } from '#model/names.ts';
import type { RenderedUnit, RenderTarget, RenderUnit } from '#model/rendering.ts';
import { renderUnit } from '#render/render.ts';

export interface UnitOptions {
  readonly instance?: string;
  readonly config?: JsonObject;
  readonly files?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, { instance: string; outputs: Record<string, string> }>>;
  readonly capabilities?: Readonly<Record<string, boolean>>;
  readonly target?: Partial<RenderTarget>;
  readonly dynamic?: readonly string[];
  readonly wishes?: Partial<RenderUnit['wishes']>;
}

export function target(overrides: Partial<RenderTarget> = {}): RenderTarget {
  return {
    environment: toEnvironmentName('prod'),
    name: toTargetName('eu-1'),
    driver: 'kubernetes',
    namespace: 'acme-prod',
    labels: { region: 'eu' },
    facts: { kubernetes: '1.34' },
    ...overrides,
  };
}

/** A unit of a capsule written as YAML; `spec` may be given alone. */
export function unit(yaml: string, options: UnitOptions = {}): RenderUnit {
  const read = parse(yaml) as JsonObject;
  const declaration = (read['kind'] === 'Capsule'
    ? read
    : {
        apiVersion: 'capstan.dev/v1alpha1',
        kind: 'Capsule',
        metadata: { name: 'web', version: '1.0.0' },
        spec: { type: 'service', ...read },
      }) as unknown as Capsule;
  const { name, version } = declaration.metadata;
  const value = options.config ?? {};
  const fixed = Object.fromEntries(Object.entries(value).filter(([key]) => !(options.dynamic ?? []).includes(key)));
  const dependencies = Object.entries(options.dependencies ?? {}).map(([key, one]) => [
    key,
    { instance: toInstanceName(one.instance), outputs: one.outputs },
  ]);
  return {
    target: target(options.target),
    pin: {
      instance: toInstanceName(options.instance ?? name),
      capsule: toCapsuleName(name),
      version,
      commit: toCommitId('a'.repeat(40)),
      gitTree: toTreeId('b'.repeat(40)),
      sha256: sha256Of(`content of ${name} ${version} ${canonicalJson(read)} ${JSON.stringify(options.files ?? {})}`),
      requestedBy: ['environment'],
    },
    wave: 0,
    capsule: {
      declaration,
      directory: `capsules/${name}`,
      files: new Map(Object.entries(options.files ?? {}).map(([path, text]) => [path, Buffer.from(text)])),
    },
    configuration: { value, origins: new Map(), sha256: sha256Of(canonicalJson(value)), staticSha256: sha256Of(canonicalJson(fixed)) },
    dependencies: Object.fromEntries(dependencies) as RenderUnit['dependencies'],
    capabilities: options.capabilities ?? {},
    wishes: { file: 'environments/prod/environment.yaml', secrets: {}, patches: [], dependents: [], ...options.wishes },
  };
}

export const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{name}}\n';
export const WEB = 'components: { web: { kind: Deployment, image: r/x, ports: { http: { port: 80 } } } }';

export function render(yaml: string, options: UnitOptions = {}): RenderedUnit {
  const result = renderUnit(unit(yaml, options));
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join('\n'));
  return result.value;
}

export function problems(yaml: string, options: UnitOptions = {}): readonly string[] {
  const result = renderUnit(unit(yaml, options));
  return result.ok ? [] : result.problems.map(({ code, rule, message }) => `${code} ${rule ?? '-'} ${message}`);
}

export function template(text: string, config: JsonObject = {}, more: UnitOptions = {}): UnitOptions {
  return { ...more, config, files: { 'templates/x.yaml.hbs': text, ...more.files } };
}
