import type { ForeignAnswer, ForeignRequest, HelmRequest, KustomizeRequest } from '#model/foreign.ts';
import { type Json, isJsonObject, valueAt } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { ForeignRenderer } from '#ports/foreign-renderer.ts';

export const MEMORY_VERSIONS = { helm: '3.22.0', kustomize: '5.8.2' } as const;

/** A helm that knows `{{ .Values.a }}` and `{{ .Release.Name }}`, and a kustomize that lists its resources. Starts nothing. */
export function memoryForeignRenderer(): ForeignRenderer {
  let runs = 0;

  async function render(request: ForeignRequest): Promise<ForeignAnswer> {
    const here = MEMORY_VERSIONS[request.tool];
    if (request.version !== here) return { kind: 'missing', found: `this is ${request.tool} ${here}` };
    runs += 1;
    return request.tool === 'helm' ? chart(request) : kustomization(request);
  }

  return { render, counts: () => ({ runs }) };
}

function chart(request: HelmRequest): ForeignAnswer {
  if (!request.files.has(`${request.path}/Chart.yaml`)) return { kind: 'failed', message: 'Error: Chart.yaml file is missing' };
  const usual = documentOf(request, `${request.path}/values.yaml`);
  const values = { ...(isJsonObject(usual) ? usual : {}), ...request.values };
  const known: Json = { Values: values, Release: { Name: request.name, Namespace: request.namespace } };
  const templates = [...request.files.keys()].filter((path) => path.startsWith(`${request.path}/templates/`)).sort();
  const texts = templates.map((path) =>
    textOf(request, path).replaceAll(/\{\{ \.([\w.]+) \}\}/g, (_, name: string) =>
      JSON.stringify(valueAt(known, `/${name.replaceAll('.', '/')}`) ?? null),
    ),
  );
  return { kind: 'rendered', text: texts.map((text, at) => `---\n# Source: ${templates[at] ?? ''}\n${text}`).join('') };
}

function kustomization(request: KustomizeRequest): ForeignAnswer {
  const document = documentOf(request, `${request.path}/kustomization.yaml`);
  const resources = isJsonObject(document) && Array.isArray(document['resources']) ? document['resources'] : [];
  return {
    kind: 'rendered',
    text: resources.map((file: Json) => textOf(request, `${request.path}/${typeof file === 'string' ? file : ''}`)).join('\n---\n'),
  };
}

function textOf({ files }: ForeignRequest, path: string): string {
  return Buffer.from(files.get(path) ?? []).toString('utf8');
}

function documentOf(request: ForeignRequest, path: string): Json | undefined {
  const read = readKubernetesYaml(textOf(request, path), path);
  return read.ok ? read.value[0]?.value : undefined;
}
