import { encodeSshPrivateKey, parseSshPrivateKey, sshPublicKeyText, type SshPrivateKey } from '#model/ssh-key.ts';
import { signPlain, sshPublicKeyPem } from '#model/ssh-plain.ts';
import { signWithSshKey } from '#model/ssh-signature.ts';
import type { Signer } from '#ports/machine.ts';

/** The same key for the same name, always. */
export function signerOf(name: string): Signer {
  const key = keyOf(name);
  return {
    publicKey: sshPublicKeyText(key.publicKey),
    name,
    email: `${name}@example.org`,
    sign: async (payload, namespace) => signWithSshKey(key, payload, namespace),
    plainKey: async () => ({ publicKeyPem: sshPublicKeyPem(key.publicKey), sign: async (bytes) => signPlain(key, bytes) }),
  };
}

function keyOf(name: string): SshPrivateKey {
  const parsed = parseSshPrivateKey(encodeSshPrivateKey(Buffer.alloc(32, name), name, 7));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

/** Files of a repository by path. */
export type Files = Readonly<Record<string, string>>;

export const PROJECT_FILE = `apiVersion: capstan.dev/v1alpha1
kind: Project
metadata:
  name: shop
spec:
  branches:
    default: main
  trust:
    - name: ada
      user: ada
      sshKey: ${signerOf('ada').publicKey}
      for:
        - commit
        - capsule
    - name: engine
      sshKey: ${signerOf('capstan').publicKey}
      for:
        - engine
`;

export interface Stage {
  readonly name: string;
  readonly risk: string;
  readonly from: readonly string[];
  readonly soak?: string;
  readonly merge?: 'auto' | 'manual';
  readonly approvals?: number;
  readonly targets?: readonly string[];
  /** `rollout:` and what is below it, with the indentation of `spec`. */
  readonly rollout?: string;
}

export const DEV: Stage = { name: 'dev', risk: 'low', from: [], merge: 'auto', targets: ['one', 'two'] };
export const STAGING: Stage = { name: 'staging', risk: 'medium', from: ['dev'], soak: '10m', merge: 'auto' };
export const PROD: Stage = { name: 'prod', risk: 'high', from: ['staging'], soak: '1h', merge: 'manual', approvals: 1 };

export function environmentFile({ name, risk, from, soak, merge, approvals, targets = ['one'], rollout = '' }: Stage): string {
  return `apiVersion: capstan.dev/v1alpha1
kind: Environment
metadata:
  name: ${name}
spec:
  risk: ${risk}
  tenancy:
    mode: shared
    namespace: shop-${name}
  targets:
${targets.map((target) => `    ${target}:\n      driver: directory\n      path: ${name}/${target}\n`).join('')}\
${rollout}\
  capsules:
    web:
      version: ^1.0.0
  promotion:
    from:
      environments: [${from.join(', ')}]
    merge: ${merge ?? 'auto'}
${soak === undefined ? '' : `    soak: ${soak}\n`}\
  gates:
    - name: signed
      type: signature
${approvals === undefined ? '' : `  approvals:\n    - required: ${approvals}\n      separationOfDuties: true\n`}`;
}

/** A capsule of a deployment that needs another one. */
export function capsuleFiles(version: string, name = 'web'): Files {
  return {
    [`capsules/${name}/capsule.yaml`]: `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: ${name}
  version: ${version}
  title: ${name}
  description: A web service of the stories.
spec:
  type: service
  components:
    web:
      kind: Deployment
      image: registry.example.com/${name}@sha256:1f0a3c2b7e5d4896a1b2c3d4e5f60718293a4b5c6d7e8f901234567890abcdef
      ports:
        http:
          port: 8080
      probes:
        readiness:
          httpGet:
            port: http
            path: /readyz
      resources:
        cpu:
          request: 50m
          limit: 100m
        memory:
          request: 48Mi
          limit: 96Mi
      scaling:
        replicas: 1
`,
  };
}

export function shopFiles(stages: readonly Stage[]): Files {
  return {
    'environments/project.yaml': PROJECT_FILE,
    ...Object.fromEntries(stages.map((stage) => [`environments/${stage.name}/environment.yaml`, environmentFile(stage)])),
    ...capsuleFiles('1.0.0'),
  };
}
