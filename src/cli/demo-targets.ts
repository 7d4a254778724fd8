import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { sha256Of } from '#model/digest.ts';
import { until } from './demo-stage.ts';

/** What the demo's story happens on: three directories, or three namespaces of a cluster. */
export interface DemoTargets {
  /** `three directories as targets` */
  readonly words: string;
  /** Where an environment's objects are, for people. */
  place(environment: string): string;
  namespace(environment: string): string;
  /** The files of the starter, with the targets that these are. */
  declared(files: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
  /** What the service's configuration says of them; ends in a line break. */
  readonly configuration: string;
  open(): Promise<void>;
  /** Whether it runs that version of hello; answers what would be another one if anybody touched it. */
  runs(environment: string, version: string): Promise<string | undefined>;
  /** Sets another number of replicas by hand, and waits until that is put right. */
  meddle(environment: string): Promise<void>;
  /** The capsule of a version that will not be well. */
  spoiled(capsule: string): string;
  /** Sees to it that what `runs` answered is not well; answers why. */
  spoil(environment: string, running: string): Promise<string>;
  hasService(environment: string): Promise<boolean>;
  close(): Promise<void>;
}

export function demoDirectories(root: string): DemoTargets {
  const targetPath = (environment: string, ...path: readonly string[]): string => join(root, 'targets', environment, ...path);
  const namespace = (environment: string): string => `hello-${environment}`;
  const deployment = (environment: string): string => `hello/apps_v1_deployment_${namespace(environment)}_hello.yaml`;

  return {
    words: 'three directories as targets',
    place: (environment) => `the ${environment} directory`,
    namespace,
    declared: (files) => files,
    configuration: 'targets:\n  directory:\n    root: ./targets\n',
    open: () => Promise.resolve(),
    async runs(environment, version) {
      const text = await readFile(targetPath(environment, deployment(environment)), 'utf8').catch(() => '');
      return text.includes(`capstan.dev/version: ${version}`) || text.includes(`capstan.dev/version: "${version}"`) ? text : undefined;
    },
    async meddle(environment) {
      const path = targetPath(environment, deployment(environment));
      const before = await readFile(path, 'utf8');
      await writeFile(path, before.replace('replicas: 1', 'replicas: 7'));
      await until(`${environment} to be put right`, 60, async () =>
        (await readFile(path, 'utf8').catch(() => '')) === before ? true : undefined,
      );
    },
    spoiled: (capsule) => capsule,
    async spoil(environment, running) {
      const path = targetPath(environment, '.capstan', 'health', `${deployment(environment)}.json`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, JSON.stringify({ state: 'degraded', reason: 'CrashLoopBackOff', sha256: sha256Of(running) }));
      return 'CrashLoopBackOff';
    },
    async hasService(environment) {
      const path = targetPath(environment, `hello/core_v1_service_${namespace(environment)}_hello.yaml`);
      return readFile(path).then(
        () => true,
        () => false,
      );
    },
    close: () => Promise.resolve(),
  };
}
