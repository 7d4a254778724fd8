import { expect, test } from 'vitest';

import { capsule, ofRule, problemsOf, readFiles, shown } from '#test/desired/declarations.ts';

function withSpec(spec: string, files: Readonly<Record<string, string>> = {}) {
  return problemsOf({ 'capsules/web/capsule.yaml': capsule('web', '1.0.0', spec), ...files });
}

test('V-10: symbolic links, submodules and case twins are refused, each by name', () => {
  const files = {
    'capsules/web/capsule.yaml': capsule('web', '1.0.0'),
    'capsules/web/link': 'x',
    'capsules/web/sub': 'x',
    'capsules/web/A/x': 'x',
    'capsules/web/a/y': 'x',
    'capsules/web/caf\u00e9': 'x',
    'capsules/web/cafe\u0301': 'x',
    'capsules/web/two\nlines': 'x',
  };
  const { problems, state } = readFiles(files, { 'capsules/web/link': '120000', 'capsules/web/sub': '160000' });
  expect(ofRule(problems, 'V-10')).toEqual([
    'V-10 error capsules/web/a/y: capsules/web/a/y and capsules/web/A differ only in case or accents',
    'V-10 error capsules/web/caf\u00e9: capsules/web/caf\u00e9 and capsules/web/cafe\u0301 differ only in case or accents',
    'V-10 error capsules/web/link: capsules/web/link is a symbolic link; capsules may contain regular files only',
    'V-10 error capsules/web/sub: capsules/web/sub is a submodule; capsules may contain regular files only',
    'V-10 error capsules/web/two\\u000alines: capsules/web/two\\u000alines has a line break or control character in its name',
  ]);
  expect(state.capsules).toEqual([]);
});

test('V-10: executables and names that differ in more than case are fine', () => {
  const files = { 'capsules/web/capsule.yaml': capsule('web', '1.0.0'), 'capsules/web/run.sh': 'x', 'capsules/web/run.SHX': 'x' };
  expect(readFiles(files, { 'capsules/web/run.sh': '100755' }).problems).toEqual([]);
});

test('V-11: paths that leave the capsule are refused', () => {
  const spec = 'config:\n  schema: ../other/schema.json\nslo:\n  files:\n    - /etc/passwd\n    - a/../../b';
  expect(shown(withSpec(spec))).toEqual([
    'V-11 error capsules/web/capsule.yaml:9 /spec/config/schema refers to "../other/schema.json", which is outside the capsule directory',
    'V-11 error capsules/web/capsule.yaml:12 /spec/slo/files/0 refers to "/etc/passwd", which is outside the capsule directory',
    'V-11 error capsules/web/capsule.yaml:13 /spec/slo/files/1 refers to "a/../../b", which is outside the capsule directory',
  ]);
});

test('V-11: a path with two dots inside a name stays inside', () => {
  expect(shown(withSpec('slo:\n  files:\n    - slo/a..b.yaml', { 'capsules/web/slo/a..b.yaml': 'x' }))).toEqual([]);
});

test('V-12: a file that is not there is named with its neighbour', () => {
  expect(
    shown(
      withSpec('config:\n  schema: config.schem.json', {
        'capsules/web/config.schema.json': '{"type":"object","additionalProperties":false}',
      }),
    ),
  ).toEqual([
    'V-12 error capsules/web/capsule.yaml:9 /spec/config/schema refers to "config.schem.json", which does not exist in the capsule; did you mean "config.schema.json"?',
  ]);
});

test('V-12: a folder of manifests and a source elsewhere need no file of that name', () => {
  const spec =
    'components:\n  raw:\n    kind: Manifests\n    source:\n      path: manifests/\n  cloud:\n    kind: Terraform\n    source:\n      url: https://modules.example/web\n      path: network';
  expect(ofRule(withSpec(spec, { 'capsules/web/manifests/a.yaml': 'x' }), 'V-12')).toEqual([]);
});

test('V-13: a file that repeats another version is an error', () => {
  const spec = 'versionFiles:\n  - path: package.json\n    pointer: /version\n  - path: chart.yaml\n    pointer: /app/version';
  const files = { 'capsules/web/package.json': '{"version":"1.0.1"}', 'capsules/web/chart.yaml': 'app: {}\n' };
  expect(shown(withSpec(spec, files))).toEqual([
    'V-13 error capsules/web/capsule.yaml:9 package.json/version is "1.0.1" but metadata.version is "1.0.0"',
    'V-13 error capsules/web/capsule.yaml:11 chart.yaml/app/version is absent but metadata.version is "1.0.0"',
  ]);
});

test('V-13: a file that repeats the version is fine', () => {
  const spec = 'versionFiles:\n  - path: package.json\n    pointer: /version';
  expect(shown(withSpec(spec, { 'capsules/web/package.json': '{"version":"1.0.0"}' }))).toEqual([]);
});

test('a file of objectives that no slo.files names is a warning, and only such a file', () => {
  const slo = 'apiVersion: openslo/v1\nkind: SLO\nmetadata: { name: a }\n';
  const files = { 'capsules/web/slo/a.yaml': slo, 'capsules/web/slo/b.yml': slo, 'capsules/web/slo/notes.yaml': 'a: 1\n' };

  expect(shown(withSpec('slo:\n  files:\n    - slo/a.yaml', files))).toEqual([
    'slo-unused warning capsules/web/slo/b.yml: slo/b.yml holds objectives that spec.slo.files does not name: they are not rendered',
  ]);
  expect(shown(withSpec('slo:\n  files:\n    - slo/a.yaml\n    - slo/b.yml', files))).toEqual([]);
});
