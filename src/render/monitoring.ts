import { sha256Of } from '#model/digest.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { alertGroups } from './alerts.ts';
import type { Part } from './part.ts';
import { metadataOfInstance } from './part.ts';
import { prometheusDuration } from './prometheus.ts';
import type { Scope } from './scope.ts';
import { compact, report } from './scope.ts';
import { monitorsOf } from './scraping.ts';
import { sloGroups } from './slo.ts';
import { fileText } from './template.ts';

/** What watches the instance, for the Prometheus operator and Grafana. A target whose declared fact `monitoring` is `none` gets nothing. */
export function monitoringObjects(scope: Scope, parts: readonly Part[]): readonly JsonObject[] {
  const objects = [...monitorsOf(scope, parts), ...rulesOf(scope), ...dashboardsOf(scope)];
  return scope.unit.target.facts['monitoring'] === 'none' ? [] : objects;
}

function rulesOf(scope: Scope): readonly JsonObject[] {
  const groups = [...alertGroups(scope), ...sloGroups(scope)];
  if (groups.length === 0) return [];
  return [
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: metadataOfInstance(scope, scope.name),
      spec: {
        groups: groups.map(({ name, interval, rules }) =>
          compact({ interval: interval === undefined ? undefined : prometheusDuration(interval), name, rules }),
        ),
      },
    },
  ];
}

/** One ConfigMap for each dashboard, with the label that Grafana's sidecar looks for. */
function dashboardsOf(scope: Scope): readonly JsonObject[] {
  return (scope.capsule.spec.observability?.dashboards ?? []).flatMap((path, at) => {
    const pointer = `/spec/observability/dashboards/${at}`;
    const text = fileText(scope, path, pointer);
    if (text === undefined) return [];
    if (!isJsonText(text)) {
      report(scope, pointer, {
        code: 'dashboard-invalid',
        rule: undefined,
        message: `dashboard ${path} is not a JSON object`,
        remedy: 'Name a file with the JSON of a dashboard, as Grafana exports it.',
      });
      return [];
    }
    const name = fileLabel(path);
    const metadata = metadataOfInstance(scope, `${scope.name}-dashboard-${name}`);
    const labels = isJsonObject(metadata['labels']) ? metadata['labels'] : {};
    return [
      {
        apiVersion: 'v1',
        data: { [`${scope.name}-${name}.json`]: text },
        kind: 'ConfigMap',
        metadata: { ...metadata, labels: { ...labels, grafana_dashboard: '1' } },
      },
    ];
  });
}

function isJsonText(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text) as Json);
  } catch {
    return false;
  }
}

/** The file's name as part of an object name; where letters had to go, a digest tells two apart. */
function fileLabel(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1).replace(/\.json$/, '');
  const plain = base
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60);
  return plain === base ? plain : `${plain}${plain === '' ? '' : '-'}${sha256Of(path).slice(0, 8)}`;
}
