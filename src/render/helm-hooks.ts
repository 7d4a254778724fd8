import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { canonicalJson, isJsonObject } from '#model/json.ts';
import { visibleText } from '#model/quoted.ts';
import type { RawObject } from './objects.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { report } from './scope.ts';
import { WAVE } from './wave.ts';

const HOOK = 'helm.sh/hook';
const WEIGHT = 'helm.sh/hook-weight';
const POLICY = 'helm.sh/hook-delete-policy';
const BEFORE: ReadonlySet<string> = new Set(['pre-install', 'pre-upgrade', 'crd-install']);
const AFTER: ReadonlySet<string> = new Set(['post-install', 'post-upgrade']);
/** A Job's name has to fit into a label of its pods. */
const LONGEST = 63 - 9;

interface Hook {
  readonly raw: RawObject;
  readonly object: JsonObject;
  readonly weight: number;
}

/**
 * Helm's hooks as waves: `pre-install` and `pre-upgrade` before the instance's components in the order of their weights, `post-*` after
 * this one. Jobs and Pods among them get a name of their own for each version and content, because what ran cannot be changed. Hooks of
 * moments that a declared state does not have (deletion, rollback) are refused by name unless `source.skipHooks` leaves them out.
 */
export function withHooksAsWaves(
  scope: Scope,
  part: Part,
  from: { readonly raws: readonly RawObject[]; readonly wave: number },
): readonly RawObject[] {
  const skipped = new Set<string>(part.component.source?.skipHooks ?? []);
  const plain: RawObject[] = [];
  const before: Hook[] = [];
  const after: Hook[] = [];
  for (const raw of from.raws) {
    const annotations = annotationsOf(raw);
    const said = annotations?.[HOOK];
    if (annotations === undefined || typeof said !== 'string' || !isJsonObject(raw.value)) {
      plain.push({ ...raw, wave: from.wave });
      continue;
    }
    const events = said
      .split(',')
      .map((event) => event.trim())
      .filter((event) => event !== '' && !skipped.has(event));
    if (events.length === 0) continue;
    const odd = events.find((event) => !BEFORE.has(event) && !AFTER.has(event));
    if (odd !== undefined) {
      refuse(scope, part, raw, odd);
      continue;
    }
    const hook: Hook = { raw, object: unmarked(raw.value, annotations), weight: Number(annotations[WEIGHT] ?? 0) || 0 };
    // What has to run after an installation would fail before it: the later moment serves both.
    (events.some((event) => AFTER.has(event)) ? after : before).push(hook);
  }
  return [...placed(scope, before, WAVE.hooks), ...plain, ...placed(scope, after, from.wave + 1)];
}

function annotationsOf(raw: RawObject): JsonObject | undefined {
  const metadata = isJsonObject(raw.value) ? raw.value['metadata'] : undefined;
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  return isJsonObject(annotations) ? annotations : undefined;
}

/** Other tools that read the rendered branch have hooks of these names, too. */
function unmarked(object: JsonObject, annotations: JsonObject): JsonObject {
  const { [HOOK]: _, [WEIGHT]: __, [POLICY]: ___, ...others } = annotations;
  const { annotations: ____, ...metadata } = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return { ...object, metadata: Object.keys(others).length === 0 ? metadata : { ...metadata, annotations: others } };
}

/** Hooks of one moment lie within one wave, by weight. */
function placed(scope: Scope, hooks: readonly Hook[], wave: number): readonly RawObject[] {
  const weights = [...new Set(hooks.map((hook) => hook.weight))].sort((a, b) => a - b);
  return hooks.map(({ raw, object, weight }) => ({
    ...raw,
    value: namedForItsRun(scope, object),
    wave: wave + Math.round((weights.indexOf(weight) / weights.length) * 1000) / 1000,
  }));
}

function namedForItsRun(scope: Scope, object: JsonObject): JsonObject {
  const { kind, metadata, spec } = object;
  if ((kind !== 'Job' && kind !== 'Pod') || !isJsonObject(metadata) || typeof metadata['name'] !== 'string') return object;
  const digest = sha256Of(`${scope.unit.pin.sha256} ${canonicalJson(spec ?? {})}`).slice(0, 8);
  return { ...object, metadata: { ...metadata, name: `${metadata['name'].slice(0, LONGEST).replace(/-+$/, '')}-${digest}` } };
}

function refuse(scope: Scope, part: Part, raw: RawObject, event: string): void {
  report(scope, `${part.pointer}/source/skipHooks`, {
    code: 'helm-hook-unsupported',
    rule: undefined,
    message: `${raw.source} is a hook ${visibleText(event, 60)}, a moment that a declared state does not have`,
    remedy: 'If it can be left out, name it in source.skipHooks; else turn it off by the values of the chart.',
  });
}
