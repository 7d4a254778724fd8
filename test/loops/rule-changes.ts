import { type Change, edit, edits } from './garden.ts';

export const WEB = 'capsules/web/capsule.yaml';
export const REDIS = 'capsules/redis/capsule.yaml';
export const DEV = 'environments/dev/environment.yaml';
export const PROD = 'environments/prod/environment.yaml';
export const PROD_CONFIG = 'environments/prod/config/web.yaml';
export const LOCK = 'environments/dev/environment.lock.yaml';
export const PACKAGE = 'capsules/web/files/package.json';
export const NOTE = 'capsules/web/templates/note.yaml.hbs';
export const SCHEMA = 'capsules/web/config.schema.json';

/** A change of web, released as 1.1.0. */
export function release(change: Change = {}): Change {
  const before = change[WEB];
  const bump = edit('version: 1.0.0', 'version: 1.1.0');
  return { [PACKAGE]: '{ "version": "1.1.0" }\n', ...change, [WEB]: typeof before === 'function' ? edits(bump, before) : bump };
}

export function library(name: string, spec = ''): string {
  return `apiVersion: capstan.dev/v1alpha1\nkind: Capsule\nmetadata:\n  name: ${name}\n  version: 1.0.0\nspec:\n  type: library\n${spec}`;
}

export function redisNeedsWeb(optional: string): (before: string) => string {
  return (before) => `${before.replace('7.2.5', '7.3.0')}  dependencies:\n    web:\n      capsule: web\n      version: ^1.0.0\n${optional}`;
}

export const POLICY = `apiVersion: capstan.dev/v1alpha1
kind: Policy
metadata:
  name: p
spec:
  on: [render]
  validations:
    - expression: object.kind != 'Secret'
      message: no secrets
  enforcement: deny
  tests:
    - { name: a, input: { object: { kind: Pod } }, expect: allow }
    - { name: b, input: { object: { kind: Secret } }, expect: deny }
`;

export type Row = readonly [title: string, changes: Change | readonly Change[], expected: readonly string[]];
