import { toInstant } from '#model/instant.ts';
import { capsule, environment, ofRule, problemsOf } from '#test/desired/declarations.ts';

/** A Friday. */
export const NOW = toInstant(Date.parse('2026-11-06T10:00:00.000Z'));
export const DEV = 'environments/dev/environment.yaml';
export const SHA = `sha256:${'1f0a3c2b7e5d4896'.repeat(4)}`;

export type Files = Readonly<Record<string, string>>;

/** Problems of one rule on files, without the names of the files. */
export function found(rule: string, files: Files, facts: Parameters<typeof problemsOf>[1] = {}): readonly string[] {
  return ofRule(problemsOf(files, { now: NOW, ...facts }), rule).map((line) =>
    line.replace(`${rule} `, '').replace(/(?:[a-z0-9-]+\/)*([a-z0-9-]+)\.yaml:/, '$1:'),
  );
}

/** An environment `dev` alone. */
export function dev(spec: string, risk = 'low'): Files {
  return { [DEV]: environment('dev', spec, risk) };
}

export function web(spec: string): Files {
  return { 'capsules/web/capsule.yaml': capsule('web', '1.0.0', spec) };
}

export function project(spec: string): Files {
  return {
    'environments/project.yaml': `apiVersion: capstan.dev/v1alpha1\nkind: Project\nmetadata:\n  name: p\nspec:\n  ${spec.replaceAll('\n', '\n  ')}\n`,
  };
}

export function fleet(name: string, spec: string, where = 'dev'): Files {
  return {
    [`environments/${where}/fleets/${name}.yaml`]: `apiVersion: capstan.dev/v1alpha1\nkind: Fleet\nmetadata:\n  name: ${name}\nspec:\n  ${spec.replaceAll('\n', '\n  ')}\n`,
  };
}

export function device(name: string, spec: string, where = 'dev'): Files {
  return {
    [`environments/${where}/devices/${name}.yaml`]: `apiVersion: capstan.dev/v1alpha1\nkind: Device\nmetadata:\n  name: ${name}\n  labels: { class: kiosk }\nspec:\n  ${spec.replaceAll('\n', '\n  ')}\n`,
  };
}
