import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';

import type { RunningKubernetes } from './kubernetes.ts';

export interface DeniedObject {
  readonly resource: string;
  /** Default: the core group. */
  readonly group?: string;
  readonly namespace: string;
  readonly name: string;
  /** What the webhook says; the API server puts it behind `admission webhook "denies.capstan.test" denied the request: `. */
  readonly message: string;
}

export interface DenyingWebhook {
  /** How many requests it was asked about, and denied. */
  readonly counts: () => { readonly asked: number; readonly denied: number };
  /** From now on it denies nothing, or this. */
  readonly deny: (denied: DeniedObject | undefined) => void;
  /** Takes its configuration out of the API server, and ends. */
  readonly stop: () => Promise<void>;
}

const NAME = 'denies.capstan.test';
/** A ConfigMap that is only tried; it is not counted. */
const PROBE = 'is-the-webhook-in-force';

/** A validating admission webhook, registered for creations and updates of the object's resource, and of ConfigMaps, in its namespace, that denies the one object. */
export async function startDenyingWebhook(kubernetes: RunningKubernetes, object: DeniedObject): Promise<DenyingWebhook> {
  let denied: DeniedObject | undefined = object;
  let [asked, refused, probed] = [0, 0, false];
  const { certificateAuthority: cert, certificateFile } = kubernetes;
  const key = readFileSync(join(dirname(certificateFile), 'apiserver.key'));
  const server = createServer({ cert, key }, (request, response) => {
    void text(request).then((body) => {
      const { request: review } = JSON.parse(body) as AdmissionReview;
      const isDenied = denied !== undefined && review.namespace === denied.namespace && review.name === denied.name;
      if (review.name === PROBE) probed = true;
      // The controller manager puts this one into every new namespace, whenever it gets to it.
      else if (review.name !== 'kube-root-ca.crt') asked += 1;
      if (isDenied) refused += 1;
      const status = isDenied ? { status: { code: 403, message: denied?.message } } : {};
      const answer = {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: review.uid, allowed: !isDenied, ...status },
      };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = Object(server.address()) as { readonly port: number };
  const { group = '', resource, namespace } = object;
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: NAME },
    webhooks: [
      {
        name: NAME,
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(cert).toString('base64') },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [
          { apiGroups: [group], resources: [resource] },
          { apiGroups: [''], resources: ['configmaps'] },
        ].map((rule) => ({ ...rule, apiVersions: ['*'], operations: ['CREATE', 'UPDATE'] })),
      },
    ],
  };
  await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(configuration));
  await inForce(kubernetes, namespace, () => probed);
  return {
    counts: () => ({ asked, denied: refused }),
    deny: (next) => (denied = next),
    stop: async () => {
      await kubernetes.kubectl(['delete', 'validatingwebhookconfiguration', NAME]);
      const closed = once(server.close(), 'close');
      server.closeAllConnections();
      await closed;
    },
  };
}

interface AdmissionReview {
  readonly request: { readonly uid: string; readonly namespace?: string; readonly name?: string };
}

/** The API server learns of the configuration by a watch of its own: tries without effect show when it has. */
async function inForce(kubernetes: RunningKubernetes, namespace: string, isInForce: () => boolean): Promise<void> {
  const probe = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: PROBE, namespace } };
  for (let tries = 0; !isInForce() && tries < 200; tries += 1)
    await kubernetes.kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(probe));
  if (!isInForce()) throw new Error('the API server does not ask the webhook');
}
