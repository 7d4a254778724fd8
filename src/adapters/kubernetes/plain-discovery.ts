import type { JsonObject } from '#model/json.ts';
import { jsonText, valueAt } from '#model/json.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Api, ApiResource } from './api.ts';
import type { FoundKinds } from './discovered-kinds.ts';
import { askKinds, objectsOf, textsOf } from './discovered-kinds.ts';

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** All kinds as servers before 1.27 tell them: one request for each version of each group. */
export async function plainKinds(api: Api): Promise<FoundKinds> {
  const [core, groups] = await Promise.all([askKinds(api, '/api'), askKinds(api, '/apis')]);
  const versions = [
    ...textsOf(core.body['versions']).map((version) => ({ group: '', version })),
    ...objectsOf(groups.body['groups']).flatMap(versionsOf),
  ];
  const silent = new Map<string, string>();
  const resources = await Promise.all(versions.map((asked) => resourcesOf(api, asked, silent)));
  return { resources: resources.flat(), silent };
}

function versionsOf(group: JsonObject): readonly GroupVersion[] {
  const name = jsonText(group['name']);
  const preferred = jsonText(valueAt(group, '/preferredVersion/version'));
  const all = objectsOf(group['versions']).map((version) => jsonText(version['version']));
  return [preferred, ...all.filter((version) => version !== preferred)].map((version) => ({ group: name, version }));
}

async function resourcesOf(api: Api, { group, version }: GroupVersion, silent: Map<string, string>): Promise<readonly ApiResource[]> {
  try {
    const { body } = await askKinds(api, group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
    // A name with a slash is a part of another resource: pods/log.
    return objectsOf(body['resources'])
      .filter((resource) => !jsonText(resource['name']).includes('/'))
      .map((resource) => ({
        group,
        version,
        kind: jsonText(resource['kind']),
        resource: jsonText(resource['name']),
        namespaced: resource['namespaced'] === true,
        verbs: textsOf(resource['verbs']),
      }));
  } catch (error) {
    if (!isPortError(error) || error.kind !== 'transient' || group === '') throw error;
    silent.set(group, error.message);
    return [];
  }
}
