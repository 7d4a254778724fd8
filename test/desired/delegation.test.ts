import { expect, test } from 'vitest';

import { environment, ofRule, problemsOf } from './declarations.ts';

function said(spec: string): readonly string[] {
  return ofRule(problemsOf({ 'environments/dev/environment.yaml': environment('dev', spec) }), 'V-96').map((line) =>
    line.replace('V-96 error environments/dev/environment.yaml', ''),
  );
}

function delegating(sync: string, driver = 'kubernetes', more = ''): string {
  return `targets:\n  eu:\n    driver: ${driver}\n    credentials: eu\nsync:\n${sync.trimEnd().replaceAll(/^/gm, '  ')}\n${more}`;
}

const REPOSITORY = 'repository: https://git.example.com/acme/platform.git';

test('a delegated target says where its tool reads, and who it is', () => {
  expect(said(delegating(`mode: delegate\ndelegate:\n  tool: flux\n  ${REPOSITORY}`))).toEqual([]);
  expect(said(delegating(`mode: apply\ndelegate:\n  ${REPOSITORY}`, 'delegate-argocd'))).toEqual([]);
  expect(said(delegating('mode: apply', 'delegate-argocd'))).toEqual([
    ':9 target "eu" of dev is applied by another tool, and sync.delegate does not say where that reads this repository',
  ]);
  expect(said(delegating(`mode: delegate\ndelegate:\n  ${REPOSITORY}`))).toEqual([
    ':13 sync.delegate names no tool for target "eu" of dev',
  ]);
});

test('a directory is applied to by nobody else', () => {
  const spec = `sync:\n  mode: delegate\n  delegate:\n    tool: flux\n    ${REPOSITORY}`;
  expect(said(spec)).toEqual([
    ':9 sync.mode of dev is delegate, and target "local" of dev has driver directory, which no other tool applies to',
  ]);
});

test('what a tool cannot do is refused', () => {
  const flux = `mode: delegate\ndelegate:\n  tool: flux\n  project: shop\n  ${REPOSITORY}\nselfHeal: false\ndrift:\n  ignore:\n    - target: { kind: Deployment }\n      paths: [/spec/replicas]`;
  expect(said(delegating(flux))).toEqual([
    ':15 no target of dev is delegated to argocd, which alone reads project',
    ':17 dev delegates to Flux, which always corrects drift',
    ':19 dev delegates to Flux, which ignores no fields that git sets',
  ]);
  const argocd = `mode: delegate\ndelegate:\n  tool: argocd\n  secretRef: git\n  ${REPOSITORY}\ndrift:\n  onDetect: pullRequest`;
  expect(said(delegating(argocd))).toEqual([
    ':15 no target of dev is delegated to flux, which alone reads secretRef',
    ':18 dev delegates, so Capstan does not see drift to propose',
  ]);
  const sealed = 'secrets:\n  web:\n    password:\n      provider: sops\n      path: secrets/web.yaml\n      key: password\n';
  expect(said(delegating(`mode: delegate\ndelegate:\n  tool: argocd\n  ${REPOSITORY}`, 'kubernetes', sealed))).toEqual([
    ':19 dev delegates, and only Capstan opens what it sealed: the other tool would apply the placeholder of "web.password"',
  ]);
});

test('an address with a password is no address', () => {
  const at = (repository: string) =>
    problemsOf({
      'environments/dev/environment.yaml': environment('dev', delegating(`delegate:\n  repository: ${repository}`, 'delegate-argocd')),
    }).filter((problem) => problem.place.pointer === '/spec/sync/delegate/repository');
  for (const good of ['https://git.example.com/acme/p.git', 'ssh://git@git.example.com/acme/p.git', 'git@git.example.com:acme/p.git'])
    expect(at(good)).toEqual([]);
  for (const bad of ['https://ada:secret@git.example.com/p.git', 'ssh://git:secret@git.example.com/p.git', 'file:///srv/p.git'])
    expect(at(bad)).toHaveLength(1);
});
