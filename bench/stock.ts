import { execFile, execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { capsuleName, imageDigest, type Shape, type TextFile } from './content.ts';
import { GIT_ENVIRONMENT, startImport } from './fast-import.ts';
import type { GeneratedChange } from './generate.ts';

/**
 * The same units for the stock pipeline: one kustomize base per capsule and one overlay per unit. Roots of 25 overlays each stand
 * beside them, because kustomize takes quadratic time in the resources of one build; more or fewer per root is slower.
 */
export interface Stock {
  /** The bare repository that is pushed to, and the pipeline's own clone of it. */
  readonly remote: string;
  readonly clone: string;
  readonly shape: Shape;
  /** Path of the program. */
  readonly kustomize: string;
  readonly groups: readonly string[];
}

/** Milliseconds of each part, and of all. */
export interface StockRun {
  readonly fetch: number;
  readonly checkout: number;
  readonly render: number;
  readonly whole: number;
  readonly bytes: number;
}

const GROUP = 25;
const EPOCH = 1_767_225_600;
const run = promisify(execFile);

export async function generateStock(shape: Shape, options: { readonly folder: string; readonly kustomize: string }): Promise<Stock> {
  const { folder, kustomize: renderer } = options;
  const remote = join(folder, 'stock.git');
  const clone = join(folder, 'stock-clone');
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote], { env: GIT_ENVIRONMENT });
  const names = Array.from({ length: shape.capsules }, (_, index) => capsuleName(index));
  const units = shape.environments.flatMap((environment) =>
    environment.targets.flatMap((target) => names.map((name) => ({ environment: environment.name, target, name }))),
  );
  const roots = Array.from({ length: Math.ceil(units.length / GROUP) }, (_, at) => ({
    path: `groups/${String(at).padStart(4, '0')}`,
    units: units.slice(at * GROUP, (at + 1) * GROUP),
  }));
  const files = [
    ...names.flatMap((name) => baseFiles(name)),
    ...units.map((unit) => overlay(unit, '1.0.0')),
    ...roots.map((root) => ({ path: `${root.path}/kustomization.yaml`, text: rootText(root.units, '../..') })),
  ];
  const stream = startImport(remote);
  await stream.commit({ files, message: 'Everything', at: EPOCH, follows: false });
  await stream.end();
  execFileSync('git', ['clone', '--quiet', remote, clone], { env: GIT_ENVIRONMENT });
  return { remote, clone, shape, kustomize: renderer, groups: roots.map((root) => root.path) };
}

/** The overlays that the change of ours concerns; pushes it. */
export async function changeStock(stock: Stock, change: GeneratedChange, n: number): Promise<readonly string[]> {
  const targets = stock.shape.environments.find((one) => one.name === change.environment)?.targets ?? [];
  const units = targets.map((target) => ({ environment: change.environment, target, name: change.capsule }));
  const stream = startImport(stock.remote);
  await stream.commit({
    files: units.map((unit) => overlay(unit, change.version)),
    message: `${change.capsule} ${change.version} in ${change.environment}`,
    at: EPOCH + 60 * n,
    follows: true,
  });
  await stream.end();
  return units.map(overlayPath);
}

/** git fetch, a fresh work tree of the new commit, and every unit rendered by as many processes at once as there are processors. */
export async function everythingByStock(stock: Stock): Promise<StockRun> {
  const tree = `${stock.clone}-fresh`;
  const begin = performance.now();
  await git(stock.clone, ['fetch', '--quiet', 'origin']);
  const fetched = performance.now();
  await git(stock.clone, ['worktree', 'add', '--quiet', '--force', '--detach', tree, 'origin/main']);
  const ready = performance.now();
  const bytes = await kustomize(
    stock.kustomize,
    stock.groups.map((group) => join(tree, group)),
  );
  const end = performance.now();
  await git(stock.clone, ['worktree', 'remove', '--force', tree]);
  return { fetch: fetched - begin, checkout: ready - fetched, render: end - ready, whole: end - begin, bytes };
}

/** git fetch, the standing work tree moved to the new commit, and the changed units rendered in one build, which is the fastest way. */
export async function changedByStock(stock: Stock, overlays: readonly string[]): Promise<StockRun> {
  const root = join(stock.clone, '.git', 'changed');
  const begin = performance.now();
  await git(stock.clone, ['fetch', '--quiet', 'origin']);
  const fetched = performance.now();
  await git(stock.clone, ['checkout', '--quiet', '--detach', 'origin/main']);
  const ready = performance.now();
  await mkdir(root, { recursive: true });
  const lines = overlays.map((path) => `- ../../${path}\n`).join('');
  await writeFile(join(root, 'kustomization.yaml'), `resources:\n${lines}`);
  const bytes = await kustomize(stock.kustomize, [root]);
  const end = performance.now();
  await rm(root, { recursive: true });
  return { fetch: fetched - begin, checkout: ready - fetched, render: end - ready, whole: end - begin, bytes };
}

async function kustomize(program: string, folders: readonly string[]): Promise<number> {
  const waiting = [...folders];
  let bytes = 0;
  async function work(): Promise<void> {
    for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
      const { stdout } = await run(program, ['build', folder], { maxBuffer: 256 * 1024 * 1024 });
      bytes += stdout.length;
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return bytes;
}

async function git(folder: string, args: readonly string[]): Promise<void> {
  await run('git', ['-C', folder, ...args], { env: GIT_ENVIRONMENT });
}

interface Unit {
  readonly environment: string;
  readonly target: string;
  readonly name: string;
}

function overlayPath(unit: Unit): string {
  return `overlays/${unit.environment}/${unit.target}/${unit.name}`;
}

/** Object names carry the target, so that several targets' units can stand in one build. */
function overlay(unit: Unit, version: string): TextFile {
  const text = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: bench-${unit.environment}
nameSuffix: -${unit.target}
labels:
  - pairs:
      app.kubernetes.io/version: ${version}
resources:
  - ../../../../base/${unit.name}
images:
  - name: registry.example.com/apps/${unit.name}
    digest: sha256:${imageDigest(unit.name, version, 'bench')}
configMapGenerator:
  - name: ${unit.name}-settings
    literals:
      - settings.json={"logLevel":"info","workers":4}
`;
  return { path: `${overlayPath(unit)}/kustomization.yaml`, text };
}

function rootText(units: readonly Unit[], up: string): string {
  return `resources:\n${units.map((unit) => `  - ${up}/${overlayPath(unit)}\n`).join('')}`;
}

function baseFiles(name: string): readonly TextFile[] {
  const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app.kubernetes.io/instance: ${name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/instance: ${name}
  template:
    metadata:
      labels:
        app.kubernetes.io/instance: ${name}
    spec:
      containers:
        - name: web
          image: registry.example.com/apps/${name}
          env:
            - name: LOG_LEVEL
              value: info
          ports:
            - name: http
              containerPort: 8080
          readinessProbe:
            httpGet:
              port: http
              path: /readyz
          resources:
            requests:
              cpu: 50m
              memory: 64Mi
            limits:
              cpu: 100m
              memory: 128Mi
`;
  const service = `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector:
    app.kubernetes.io/instance: ${name}
  ports:
    - name: http
      port: 8080
      targetPort: http
`;
  return [
    { path: `base/${name}/kustomization.yaml`, text: 'resources:\n  - deployment.yaml\n  - service.yaml\n' },
    { path: `base/${name}/deployment.yaml`, text: deployment },
    { path: `base/${name}/service.yaml`, text: service },
  ];
}
