import { expect, test } from 'vitest';

import { notHonoured } from '#desired/desired.ts';
import { type DeclaredKind, SUPPORT } from '#desired/honoured.ts';
import { DECLARATION_SCHEMAS } from '#model/declaration-schemas.ts';
import { capsule, environment, readFiles } from '#test/desired/declarations.ts';
import { covers, fieldsOf } from '#test/desired/schema-fields.ts';

const KINDS: readonly DeclaredKind[] = ['Project', 'Environment', 'EnvironmentLock', 'Capsule', 'Policy', 'Fleet', 'Device'];

for (const kind of KINDS) {
  test(`every field of ${kind} is honoured, descriptive or unsupported, and only one of them`, () => {
    const { honoured, descriptive, unsupported } = SUPPORT[kind];
    const refused = unsupported.map((entry) => entry.pointer);
    const wrong = [...fieldsOf(DECLARATION_SCHEMAS[kind])].flatMap((field) => {
      const lists = [
        honoured.some((entry) => covers(entry, field)),
        descriptive.some((entry) => covers(entry, field)),
        refused.some((entry) => field === entry || field.startsWith(`${entry}/`)),
      ].filter(Boolean).length;
      return lists === 1 ? [] : [`${field}: in ${lists} lists`];
    });
    expect(wrong).toEqual([]);
  });

  test(`the table of ${kind} names nothing that its schema does not have`, () => {
    const fields = fieldsOf(DECLARATION_SCHEMAS[kind]);
    const { honoured, descriptive, unsupported } = SUPPORT[kind];
    const known = [...honoured, ...descriptive, ...unsupported.map((entry) => entry.pointer)].map((entry) =>
      entry.replace(/(\/\*+)+$/, ''),
    );
    expect(known.filter((entry) => !fields.has(entry))).toEqual([]);
  });
}

function effects(files: Readonly<Record<string, string>>): readonly string[] {
  return notHonoured(readFiles(files).state).map(
    (one) => `${one.effect} ${one.subject.kind} ${one.subject.name} ${one.place.line} ${one.place.pointer}`,
  );
}

test('gates of unknown types and windows hold; other drivers, freeze and reviews of renderings make an environment stuck', () => {
  const spec = [
    'targets:',
    '  a:',
    '    driver: nomad',
    '  b:',
    '    driver: directory',
    '    path: b',
    'gates:',
    '  - name: signed',
    '    type: signature',
    '  - name: cost',
    '    type: cost',
    'windows:',
    '  - name: week',
    '    kind: allow',
    'freeze:',
    '  reason: INC-421',
    'sync:',
    '  renderedReview: true',
  ];
  expect(effects({ 'environments/dev/environment.yaml': environment('dev', spec.join('\n')) })).toEqual([
    'stuck environment dev 9 /spec/targets/a/driver',
    'holds environment dev 17 /spec/gates/1/type',
    'holds environment dev 18 /spec/windows',
    'stuck environment dev 21 /spec/freeze',
    'stuck environment dev 24 /spec/sync/renderedReview',
  ]);
});

test('fields of drift that others may write are honoured in clusters, and not in directories', () => {
  const sync = 'sync:\n  drift:\n    ignore:\n      - target:\n          kind: Deployment\n        paths: [/spec/replicas]';
  const files = (driver: string) => ({
    'environments/dev/environment.yaml': environment('dev', `targets:\n  a:\n    driver: ${driver}\n    path: a\n${sync}`),
  });
  expect(effects(files('kubernetes'))).toEqual([]);
  expect(effects(files('directory'))).toEqual(['stuck environment dev 13 /spec/sync/drift/ignore']);
});

test('values that say what happens anyway are not reported', () => {
  const spec =
    'freeze: null\nexpires: null\nwindows: []\nsync:\n  suspend: false\n  mode: apply\n  force: false\npromotion:\n  selection: newest';
  expect(effects({ 'environments/dev/environment.yaml': environment('dev', spec) })).toEqual([]);
});

test('a component kind or strategy that is not rendered makes its capsule stuck', () => {
  const spec = 'components:\n  infra:\n    kind: Terraform\n  web:\n    kind: Deployment\n    image: a@sha256:b\nstrategy:\n  type: canary';
  expect(effects({ 'capsules/web/capsule.yaml': capsule('web', '1.0.0', spec) })).toEqual([
    'stuck capsule web 10 /spec/components/infra/kind',
    'stuck capsule web 15 /spec/strategy/type',
  ]);
});
