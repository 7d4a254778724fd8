import { Pool } from 'undici';

import { sha256Of } from '#model/digest.ts';
import { answerParent, type Effort, measured } from './child-process.ts';
import type { ConfigMap } from './cluster-content.ts';

/** Objects to be applied by a loop that knows nothing: the ceiling of what a client of this API server can reach. */
export interface BareQuestion {
  readonly url: string;
  readonly token: string;
  readonly certificateAuthority: string;
  readonly objects: readonly ConfigMap[];
}

const CONNECTIONS = 16;

/** Bodies are made before the clock runs, and answers are not looked at but for their status. */
async function applyBare({ url, token, certificateAuthority, objects }: BareQuestion): Promise<Effort> {
  const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1, connect: { ca: certificateAuthority } });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/apply-patch+yaml', accept: 'application/json' };
  const requests = objects.map((object) => {
    const { namespace, name } = object.metadata;
    return {
      method: 'PATCH' as const,
      path: `/api/v1/namespaces/${namespace}/configmaps/${name}?fieldManager=bare&fieldValidation=Strict&force=true`,
      headers,
      body: JSON.stringify(marked(object)),
    };
  });
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
      const { statusCode, body } = await pool.request(request);
      await body.dump();
      if (statusCode !== 200 && statusCode !== 201) throw new Error(`${request.path} was answered ${statusCode}`);
    }
  };
  try {
    const { milliseconds, processor } = await measured(() => Promise.all(Array.from({ length: CONNECTIONS }, lane)));
    return { milliseconds, processor };
  } finally {
    await pool.close();
  }
}

/** With what an engine puts on everything it applies: the server has as much to keep of who owns which field. */
function marked(object: ConfigMap): object {
  const labels = { 'capstan.dev/environment': 'bench', 'capstan.dev/target': 'cluster' };
  const applied = sha256Of(JSON.stringify(object));
  const annotations = { ...object.metadata.annotations, 'capstan.dev/applied': `${object.metadata.namespace}/${applied}` };
  return { ...object, metadata: { ...object.metadata, labels, annotations } };
}

answerParent<BareQuestion, Effort>({ answer: applyBare, close: async () => {} });
