import { isJsonObject, jsonText } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { PortError } from '#ports/port-error.ts';
import type { PortErrorKind } from '#ports/port-error.ts';
import type { ApiResource } from './api.ts';

/** The map below a field; an empty one where there is none. */
export function childMap(value: JsonObject, field: string): JsonObject {
  const child = Object.hasOwn(value, field) ? value[field] : undefined;
  return isJsonObject(child) ? child : {};
}

export function listItemsOf(body: JsonObject): readonly JsonObject[] {
  const items = Object.hasOwn(body, 'items') ? body['items'] : undefined;
  return Array.isArray(items) ? items.map((item: Json): JsonObject => (isJsonObject(item) ? item : {})) : [];
}

/** What a server answered in place of objects, as an error; its words are cut short. */
export function refusal(resource: ApiResource, status: number, body: JsonObject): PortError {
  const words = jsonText(body['message']).slice(0, 300);
  return new PortError(
    kindOf(status),
    `the server answered ${status || 'an error'} for ${resource.resource}${words === '' ? '' : `: ${words}`}`,
  );
}

function kindOf(status: number): PortErrorKind {
  if (status === 401 || status === 403) return 'denied';
  if (status === 404) return 'missing';
  return status === 410 || status === 429 || status >= 500 ? 'transient' : 'invalid';
}
