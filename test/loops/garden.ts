import { validateSnapshot } from '#loops/check.ts';
import { createWorld } from '#loops/create-world.ts';
import { planLock } from '#loops/lock.ts';
import type { World } from '#loops/world.ts';
import type { CommitId } from '#model/digest.ts';
import type { TreeChange } from '#model/git-objects.ts';
import { branchRef } from '#model/names.ts';
import { compareProblems, type Problem } from '#model/problem.ts';
import type { Renderer } from '#ports/renderer.ts';
import { portsOf } from '#test/stories/engine.ts';
import { copyOf, newOutside, type Outside } from '#test/stories/outside.ts';
import { environmentFile, signerOf, type Files } from '#test/stories/shop.ts';

const DIGEST = `sha256:${'1f0a3c2b7e5d4896'.repeat(4)}`;
const MAIN = branchRef('main');

/** A small repository in which every rule has something to look at, and none finds anything. */
export const GARDEN: Files = {
  'environments/project.yaml': `apiVersion: capstan.dev/v1alpha1
kind: Project
metadata:
  name: garden
spec:
  branches:
    default: main
  teams:
    sre:
      users: [ada]
  trust:
    - name: ada
      sshKey: ${signerOf('ada').publicKey}
      for: [commit, capsule]
`,
  'environments/dev/environment.yaml': environmentFile({ name: 'dev', risk: 'low', from: [], targets: ['one', 'two'] })
    .replace('    one:\n', '    one:\n      labels:\n        size: small\n')
    .replace('    web:\n      version: ^1.0.0\n', '    web:\n      version: ^1.0.0\n      config:\n        replicas: 1\n'),
  'environments/prod/environment.yaml': environmentFile({ name: 'prod', risk: 'medium', from: ['dev'] }),
  'environments/prod/config/web.yaml': 'greeting: Bonjour\n',
  'capsules/web/capsule.yaml': `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: web
  version: 1.0.0
spec:
  type: service
  versionFiles:
    - path: files/package.json
      pointer: /version
  components:
    web:
      kind: Deployment
      image: registry.example.com/web@${DIGEST}
      env:
        GREETING:
          config: greeting
        CACHE_URL:
          dependency: cache
          output: url
      files:
        /etc/web/app.json:
          template: files/app.json.hbs
      ports:
        http:
          port: 8080
      scaling:
        replicas:
          config: replicas
  dependencies:
    cache:
      capsule: redis
      version: ^7.0.0
      requires:
        protocol: redis
  provides:
    http:
      protocol: http
      port: http
      outputs:
        url: http://{{name}}.{{namespace}}.svc:8080
  config:
    schema: config.schema.json
    defaults:
      greeting: Hello
    assertions:
      - expression: config.replicas < 10
        message: ten replicas need a review
`,
  'capsules/web/config.schema.json': `{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "greeting": { "type": "string" },
    "replicas": { "type": "integer", "minimum": 1, "maximum": 20, "default": 2 }
  }
}
`,
  'capsules/web/files/app.json.hbs': '{ "greeting": {{config.greeting}} }\n',
  'capsules/web/files/package.json': '{ "version": "1.0.0" }\n',
  'capsules/web/templates/note.yaml.hbs': `apiVersion: v1
kind: ConfigMap
metadata:
  name: note
data:
  greeting: {{config.greeting}}
`,
  'capsules/redis/capsule.yaml': `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: redis
  version: 7.2.5
spec:
  type: service
  components:
    cache:
      kind: StatefulSet
      image: registry.example.com/redis@${DIGEST}
      ports:
        redis:
          port: 6379
  provides:
    redis:
      protocol: redis
      port: redis
      outputs:
        url: redis://{{name}}.{{namespace}}.svc:6379
`,
};

/** What one commit does to the files: a text, nothing (undefined), a function of the text before, or a link. */
export type Change = Readonly<Record<string, string | undefined | ((before: string) => string) | { readonly link: string }>>;

/** Replaces a part of a file that must be there. */
export function edit(from: string, to: string): (before: string) => string {
  return (before) => {
    if (!before.includes(from)) throw new Error(`"${from}" is not in the file`);
    return before.replace(from, () => to);
  };
}

export function edits(...steps: readonly ((before: string) => string)[]): (before: string) => string {
  return (before) => steps.reduce((text, step) => step(text), before);
}

export interface Garden {
  readonly outside: Outside;
  readonly files: Readonly<Record<string, string>>;
  readonly head: CommitId;
}

/** The garden with its locks, each in a commit of its own, as `init` does it. */
export async function plantedGarden(): Promise<Garden> {
  const outside = newOutside();
  const bare = await changed({ outside, files: {}, head: undefined }, GARDEN);
  return withLocks(bare);
}

/** Another commit on main, with the locks as the engine would write them. */
export async function withLocks(garden: Garden): Promise<Garden> {
  const world = await worldOf(garden);
  const declarations = await world.reading.declarations(await world.reading.at(garden.head));
  const locks: Record<string, string> = {};
  for (const environment of declarations.state.environments) {
    const planned = await planLock(world, declarations, environment);
    if (!planned.ok) throw new Error(planned.problems.map((problem) => problem.message).join('\n'));
    locks[planned.value.path] = planned.value.after;
  }
  return changed(garden, locks);
}

/** One more commit on main; the garden it started from stays as it was. */
export async function changed(from: Omit<Garden, 'head'> & { readonly head: CommitId | undefined }, change: Change): Promise<Garden> {
  const outside = copyOf(from.outside);
  const { repository } = portsOf(outside);
  await repository.fetch();
  const files: Record<string, string> = { ...from.files };
  const changes: TreeChange[] = [];
  for (const [path, what] of Object.entries(change)) {
    if (typeof what === 'object') {
      const blob = await repository.writeTree(undefined, [{ kind: 'file', path: 'link', content: Buffer.from(what.link) }]);
      const [entry] = await repository.tree(blob);
      if (entry?.kind !== 'blob') throw new Error('a blob was written');
      changes.push({ kind: 'blob', path, mode: '120000', id: entry.id });
      continue;
    }
    const text = typeof what === 'function' ? what(files[path] ?? '') : what;
    if (text === undefined) Reflect.deleteProperty(files, path);
    else files[path] = text;
    changes.push(text === undefined ? { kind: 'delete', path } : { kind: 'file', path, content: Buffer.from(text) });
  }
  const ada = signerOf('ada');
  const parents = from.head === undefined ? [] : [from.head];
  const head = await repository.writeCommit(
    {
      base: from.head === undefined ? undefined : (await repository.commit(from.head)).tree,
      changes,
      parents,
      author: { name: 'ada', email: ada.email, at: outside.now, zone: '+0000' },
      message: 'change\n',
    },
    (payload) => ada.sign(payload),
  );
  await repository.push([{ ref: MAIN, expected: from.head, next: head }]);
  return { outside, files, head };
}

/** An engine on the garden that remembers nothing. */
export async function worldOf(garden: Garden, renderer?: Renderer): Promise<World> {
  const ports = portsOf(copyOf(garden.outside));
  await ports.repository.fetch();
  return createWorld(renderer === undefined ? ports : { ...ports, renderer });
}

/** What `capstan validate` finds at the garden's head. */
export async function validated(garden: Garden, renderer?: Renderer): Promise<readonly Problem[]> {
  const world = await worldOf(garden, renderer);
  const report = await validateSnapshot(world, await world.reading.at(garden.head));
  return [...report.problems].sort(compareProblems);
}

/** `V-07 changed-without-bump capsules/web/capsule.yaml:5:12`; a warning has a `~` before it. */
export function seen(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ rule, code, severity, place }) => {
    const where = [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
    return `${severity === 'warning' ? '~' : ''}${rule === undefined ? '' : `${rule} `}${code} ${where}`;
  });
}
