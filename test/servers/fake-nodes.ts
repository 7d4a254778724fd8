import type { ChildProcess } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { programPath } from './built-programs.ts';
import { startServer } from './server-process.ts';

/** Containers of an image with this beginning are never pulled: their pods stay `Pending` in `ImagePullBackOff`. */
export const UNPULLABLE = 'unpullable/';

/** Nodes on which every pod that is scheduled becomes Ready at once, and a Job's ends well: kwok plays them. */
export function startFakeNodes(scratch: string, kubeconfig: string): ChildProcess {
  const stages = join(dirname(programPath('kwok')), 'stages');
  const files = ['node', 'pod'].flatMap((kind) =>
    readdirSync(join(stages, kind))
      .filter((name) => name !== 'kustomization.yaml')
      .map((name) => join(stages, kind, name)),
  );
  const unpullable = join(scratch, 'pod-unpullable.json');
  writeFileSync(unpullable, JSON.stringify(UNPULLABLE_STAGE));
  const configs = [...files, unpullable].map((file) => `--config=${file}`);
  return startServer(scratch, 'kwok', [
    `--kubeconfig=${kubeconfig}`,
    '--manage-all-nodes=true',
    '--node-lease-duration-seconds=0',
    ...configs,
  ]);
}

/** Nodes with room for everything; nothing of a node's life is played but that it is Ready. */
export function fakeNodes(count: number): readonly object[] {
  const room = { cpu: '1000', memory: '4Ti', pods: '10000' };
  return Array.from({ length: count }, (_, at) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: `node-${at + 1}`,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'kubernetes.io/hostname': `node-${at + 1}`, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    },
    status: { allocatable: room, capacity: room },
  }));
}

const IMAGES = '.spec.containers.[].image';

/** Of several stages that fit a pod those with a weight are taken; the fast ones have none. Says no time, so that playing it again changes nothing. */
const UNPULLABLE_STAGE = {
  apiVersion: 'kwok.x-k8s.io/v1alpha1',
  kind: 'Stage',
  metadata: { name: 'pod-unpullable' },
  spec: {
    resourceRef: { apiGroup: 'v1', kind: 'Pod' },
    selector: {
      matchExpressions: [
        { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' },
        { key: `${IMAGES} | select(startswith("${UNPULLABLE}"))`, operator: 'Exists' },
      ],
    },
    weight: 1,
    next: {
      statusTemplate: `
phase: Pending
containerStatuses:
{{ range .spec.containers }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: false
  restartCount: 0
  state:
    waiting:
      reason: ImagePullBackOff
      message: {{ printf "Back-off pulling image %s" .image | Quote }}
{{ end }}
conditions:
- type: Ready
  status: "False"
  reason: ContainersNotReady
- type: ContainersReady
  status: "False"
  reason: ContainersNotReady
`,
    },
  },
};
