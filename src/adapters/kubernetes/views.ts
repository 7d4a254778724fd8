import type { JsonObject } from '#model/json.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { DriftIgnore } from '#model/plan.ts';
import type { Chance, Timers } from '#ports/machine.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Api, ApiResource } from './api.ts';
import type { Marks } from './body.ts';
import { openView } from './reflector.ts';
import type { View } from './reflector.ts';
import { ENVIRONMENT_LABEL, TARGET_LABEL } from './seen-object.ts';
import type { SeenObject } from './seen-object.ts';
import { distil } from './seen.ts';

/** The views of one target: what carries its labels, by kind and namespace. */
export interface Views {
  /** A current view, opened where there is none; undefined where the server has none of it. PortError `denied` where it does not let us look. */
  open(resource: ApiResource, namespace: string, signal?: AbortSignal): Promise<View | undefined>;
  /** The view that an object would be in, if there is one. */
  of(key: ObjectKey): View | undefined;
  seen(key: ObjectKey): SeenObject | undefined;
  /** How the view that an object would be in reads it: perhaps in another version than somebody writes it. */
  resourceOf(key: ObjectKey): ApiResource | undefined;
  all(): Iterable<SeenObject>;
  /** Takes in the answer to a write: what was written, even where something newer was seen since. */
  note(resource: ApiResource, body: JsonObject): SeenObject | undefined;
  /** While we write: `moved` is called for what others change only, and not before the answer is called. */
  writing(): () => void;
  /** Ends the views of kinds and namespaces in which nothing is looked at any more. */
  keepOnly(places: readonly Pick<ObjectKey, 'group' | 'kind' | 'namespace'>[]): void;
  stop(): Promise<void>;
}

export interface ViewsOptions {
  readonly marks: Marks;
  readonly ignore: readonly DriftIgnore[];
  readonly timers: Timers;
  readonly chance: Chance;
  /** Something that a run should see changed. */
  readonly moved: () => void;
}

export function openViews(api: Api, options: ViewsOptions): Views {
  const { marks, ignore, timers, chance } = options;
  const labelSelector = labelsOf(marks);
  const views = new Map<string, { readonly resource: ApiResource; readonly view: View }>();
  const writers = new Set<(() => void)[]>();

  function viewOf(resource: ApiResource, namespace: string): View {
    const place = placeText(resource.group, resource.kind, namespace);
    const known = views.get(place);
    if (known?.resource.version === resource.version) return known.view;
    // Fields are owned by version: a view of another one would tell of them in other words.
    if (known !== undefined) void known.view.stop();
    const view = openView(api, resource, { namespace, labelSelector, ignore, timers, chance });
    view.onChange(options.moved);
    for (const ends of writers) ends.push(view.writing());
    views.set(place, { resource, view });
    return view;
  }

  function openFor({ group, kind, namespace }: ObjectKey) {
    return views.get(placeText(group, kind, namespace)) ?? views.get(placeText(group, kind, ''));
  }

  function of(key: ObjectKey): View | undefined {
    return openFor(key)?.view;
  }

  return {
    of,
    async open(resource, namespace, signal) {
      const view = viewOf(resource, resource.namespaced ? namespace : '');
      if (view.isCurrent()) return view;
      try {
        await view.ready(signal);
        return view;
      } catch (error) {
        // A kind that went away: the rest can be looked at all the same.
        if (isPortError(error) && error.kind !== 'transient' && error.kind !== 'denied') return undefined;
        throw error;
      }
    },
    seen: (key) => of(key)?.get(key.namespace, key.name),
    resourceOf: (key) => openFor(key)?.resource,
    *all() {
      for (const { view } of views.values()) yield* view.all();
    },
    note(resource, body) {
      const written = distil(resource, body, ignore);
      if (written === undefined) return undefined;
      of(written.key)?.hold(written);
      return written;
    },
    writing() {
      const ends = [...views.values()].map(({ view }) => view.writing());
      writers.add(ends);
      return () => {
        writers.delete(ends);
        for (const end of ends) end();
      };
    },
    keepOnly(places) {
      const kept = new Set(places.flatMap(({ group, kind, namespace }) => [placeText(group, kind, namespace), placeText(group, kind, '')]));
      for (const [place, { view }] of views) {
        if (kept.has(place)) continue;
        views.delete(place);
        void view.stop();
      }
    },
    async stop() {
      await Promise.all([...views.values()].map(({ view }) => view.stop()));
      views.clear();
    },
  };
}

/** Selects what a target applied. */
export function labelsOf({ environment, target }: Marks): string {
  return `${ENVIRONMENT_LABEL}=${environment},${TARGET_LABEL}=${target}`;
}

function placeText(group: string, kind: string, namespace: string): string {
  return `${group}/${kind}/${namespace}`;
}
