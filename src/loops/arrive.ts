import { arrive } from '#arrival/arrival.ts';
import type { ArrivalRequest } from '#arrival/arrival.ts';
import { isDeclarationPath, parseDeclaration } from '#desired/desired.ts';
import type { Arrival, LeftOut, Origin } from '#model/arrival.ts';
import type { Capsule, Environment } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import { sha256Of, toBlobId, toCommitId, toTreeId } from '#model/digest.ts';
import type { ForeignTool } from '#model/foreign.ts';
import { USUAL_TOOLS } from '#model/foreign.ts';
import type { JsonObject } from '#model/json.ts';
import { canonicalJson, isJsonObject, jsonText } from '#model/json.ts';
import { toCapsuleName, toEnvironmentName, toInstanceName, toTargetName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { RenderedObject, RenderedUnit, RenderTarget, RenderUnit } from '#model/rendering.ts';
import { findSecrets } from '#model/secret-scan.ts';
import { renderUnit } from '#render/render.ts';
import { createObjectJudge } from './judged-objects.ts';
import type { ObjectJudge } from './judged-objects.ts';
import type { Prepared } from './prepared-target.ts';

export interface ArrivalWish extends Omit<ArrivalRequest, 'refused'> {
  /** Stops the work: it may be long for a large source. */
  readonly signal: AbortSignal;
}

/** What Capstan changes in an object that came along, beside the annotations that it gives every object. */
export interface Difference {
  readonly file: string;
  readonly line: number;
  readonly object: string;
  readonly what: string;
}

/** A capsule that comes along and needs `tool` in exactly `version` to be rendered. */
export interface ForeignCapsule {
  readonly file: string;
  readonly tool: ForeignTool;
  readonly version: string;
}

export interface PlannedArrival {
  readonly arrival: Arrival;
  readonly differences: readonly Difference[];
  /** What another program renders: it is not compared with what was there. */
  readonly foreign: readonly ForeignCapsule[];
  /** What is wrong with it as a whole; empty, or nothing should be written. */
  readonly problems: readonly Problem[];
}

/** How often documents that cannot be rendered are taken out: each may have hidden another. */
const ROUNDS = 6;

/** Plans an import and renders what is rendered in process: documents that Capstan would refuse are left out with its words. */
export async function planArrival(wish: ArrivalWish): Promise<PlannedArrival> {
  const refused = new Map<string, string>();
  const objects = createObjectJudge();
  for (let round = 1; ; round += 1) {
    wish.signal.throwIfAborted();
    const arrival = arrive({ ...wish, refused });
    const judged = await judge(arrival, objects);
    const before = refused.size;
    for (const problem of judged.problems) {
      for (const origin of originsOf(arrival, problem)) refused.set(`${origin.file}:${origin.sourceLine}`, reasonOf(problem));
    }
    const secrets = secretsIn(arrival, refused);
    if (refused.size === before || round === ROUNDS) {
      const leftOut = [...arrival.leftOut, ...secrets];
      return { arrival: { ...arrival, leftOut }, differences: judged.differences, foreign: judged.foreign, problems: judged.problems };
    }
  }
}

/** V-80: documents with secrets are refused; of charts and kustomizations no part can be taken out, so they are told of. */
function secretsIn(arrival: Arrival, refused: Map<string, string>): readonly LeftOut[] {
  const told: LeftOut[] = [];
  for (const { path, content } of arrival.files) {
    if (!path.startsWith('capsules/') && !path.startsWith('environments/')) continue;
    for (const { type, line } of findSecrets(Buffer.from(content))) {
      const origin = arrival.origins.get(path)?.findLast((one) => one.line <= line);
      if (origin !== undefined)
        refused.set(`${origin.file}:${origin.sourceLine}`, `holds what looks like ${type} (V-80): keep it out of git`);
      else
        told.push({
          file: path,
          line,
          what: type,
          why: 'is in a file that came along whole: validate refuses it (V-80) until it is taken out',
        });
    }
  }
  return told;
}

/** The document a problem is about, or all of the file that it names. */
function originsOf(arrival: Arrival, { place, message }: Problem): readonly Origin[] {
  if (place.file === undefined) return [];
  const { file, line } = place;
  const found = arrival.origins.get(file);
  if (found !== undefined && line !== undefined) return found.filter((origin) => origin.line <= line).slice(-1);
  return found ?? [...arrival.origins].flatMap(([path, all]) => (message.startsWith(`${path} `) ? all : []));
}

/** The message without the unit it speaks of: there is none yet. */
function reasonOf(problem: Problem): string {
  return `${problem.message.replace(/^manifest \S+ (?:of \S+ )?(?:produced|gives) /, 'is ').replace(/ \(\S+ 1\.0\.0 for \S+\)$/, '')}. ${problem.remedy}`;
}

const NO_BLOB = toBlobId('0'.repeat(40));

interface Judgement {
  readonly foreign: readonly ForeignCapsule[];
  readonly problems: readonly Problem[];
  readonly differences: readonly Difference[];
}

async function judge(arrival: Arrival, objects: ObjectJudge): Promise<Judgement> {
  const problems: Problem[] = [];
  const differences: Difference[] = [];
  const foreign: ForeignCapsule[] = [];
  const capsules = new Map<string, Capsule>();
  const environments: Declared<Environment>[] = [];
  for (const { path, content } of arrival.files) {
    if (!isDeclarationPath(path)) continue;
    const parsed = parseDeclaration({ path, bytes: Buffer.from(content), id: NO_BLOB });
    problems.push(...parsed.problems);
    const { document } = parsed;
    if (document?.kind === 'capsule') {
      capsules.set(document.name, document.declared.value);
      foreign.push(...foreignOf(path, document.declared.value));
    }
    if (document?.kind === 'environment') environments.push(document.declared);
  }
  for (const environment of environments) {
    const rendered = new Map<Prepared, RenderedUnit>();
    const targets = new Map<string, { readonly target: RenderTarget; readonly items: Prepared[] }>();
    for (const unit of unitsOf(environment.value, capsules, arrival)) {
      if (!Object.values(unit.capsule.declaration.spec.components ?? {}).every(({ kind }) => kind === 'Manifests')) continue;
      const result = renderUnit(unit);
      if (!result.ok) {
        problems.push(...result.problems);
        continue;
      }
      differences.push(...differencesOf(unit, result.value.objects, arrival));
      const item: Prepared = {
        number: 0,
        key: '',
        unit,
        outputs: {},
        findings: [],
        inert: undefined,
        healthOf: undefined,
        needs: undefined,
      };
      const target = targets.get(unit.target.name) ?? { target: unit.target, items: [] };
      target.items.push(item);
      targets.set(unit.target.name, target);
      rendered.set(item, result.value);
    }
    const name = toEnvironmentName(environment.value.metadata.name);
    problems.push(...(await objects.judge({ name, targets: [], declared: environment }, [...targets.values()], rendered)).problems);
  }
  return { problems: problems.filter(({ severity }) => severity === 'error'), differences, foreign };
}

function foreignOf(file: string, { spec }: Capsule): readonly ForeignCapsule[] {
  return Object.values(spec.components ?? {}).flatMap(({ kind, source }): readonly ForeignCapsule[] => {
    if (kind !== 'Helm' && kind !== 'Kustomize') return [];
    const tool = kind === 'Helm' ? 'helm' : 'kustomize';
    return [{ file, tool, version: source?.tool ?? USUAL_TOOLS[tool] }];
  });
}

/** One unit for each instance on each target that it is for. Nothing is committed yet, so its pins name no commit. */
function unitsOf({ metadata, spec }: Environment, capsules: ReadonlyMap<string, Capsule>, arrival: Arrival): readonly RenderUnit[] {
  const contents = new Map<string, Map<string, Uint8Array>>();
  for (const { path, content } of arrival.files) {
    const [, name, inside] = /^capsules\/([^/]+)\/(.+)$/.exec(path) ?? [];
    if (name === undefined || inside === undefined) continue;
    const files = contents.get(name) ?? new Map<string, Uint8Array>();
    contents.set(name, files.set(inside, Buffer.from(content)));
  }
  return Object.entries(spec.targets ?? {}).flatMap(([targetName, target]) =>
    Object.entries(spec.capsules ?? {}).flatMap(([instance, request]): readonly RenderUnit[] => {
      const name = request.capsule ?? instance;
      const declaration = capsules.get(name);
      const labels = target.labels ?? {};
      const wanted = Object.entries(request.targets?.matchLabels ?? {});
      if (declaration === undefined || !wanted.every(([label, value]) => labels[label] === value)) return [];
      const empty = sha256Of(canonicalJson({}));
      return [
        {
          target: {
            environment: toEnvironmentName(metadata.name),
            name: toTargetName(targetName),
            driver: target.driver,
            namespace: target.namespace ?? spec.tenancy?.namespace ?? metadata.name,
            labels,
            facts: {},
          },
          pin: {
            instance: toInstanceName(instance),
            capsule: toCapsuleName(name),
            version: declaration.metadata.version,
            commit: toCommitId('0'.repeat(40)),
            gitTree: toTreeId('0'.repeat(40)),
            sha256: empty,
            requestedBy: ['environment'],
          },
          wave: 0,
          capsule: { declaration, files: contents.get(name) ?? new Map(), directory: `capsules/${name}` },
          configuration: { value: {}, origins: new Map(), sha256: empty, staticSha256: empty },
          dependencies: {},
          capabilities: {},
          wishes: { file: `environments/${metadata.name}/environment.yaml`, secrets: {}, patches: [], dependents: [] },
        },
      ];
    }),
  );
}

function differencesOf(unit: RenderUnit, objects: readonly RenderedObject[], arrival: Arrival): readonly Difference[] {
  const rendered = new Map(objects.map((one) => [nameOf(one.object), one.object]));
  const origins = [...arrival.origins].filter(([path]) => path.startsWith(`${unit.capsule.directory}/`)).flatMap(([, found]) => found);
  return origins.flatMap((origin) =>
    origin.objects.flatMap((source): readonly Difference[] => {
      const object = nameOf(source);
      const now = rendered.get(object);
      const what = now === undefined ? 'is not rendered' : changeOf(source, now);
      return what === undefined ? [] : [{ file: origin.file, line: origin.sourceLine, object, what }];
    }),
  );
}

/** Group, kind and name; a capsule has one namespace. */
function nameOf(object: JsonObject): string {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return `${jsonText(object['apiVersion']).replace(/[^/]+$/, '')}${jsonText(object['kind'])} ${jsonText(metadata['name'])}`;
}

/** What is another beside our annotations; undefined: nothing. */
function changeOf(source: JsonObject, now: JsonObject): string | undefined {
  const before = isJsonObject(source['metadata']) ? source['metadata'] : {};
  const after = isJsonObject(now['metadata']) ? now['metadata'] : {};
  const given = isJsonObject(before['annotations']) ? before['annotations'] : {};
  const added = before['namespace'] === undefined ? after['namespace'] : undefined;
  const ours = Object.fromEntries(
    Object.entries(isJsonObject(after['annotations']) ? after['annotations'] : {}).filter(
      ([key]) => !key.startsWith('capstan.dev/') || Object.hasOwn(given, key),
    ),
  );
  const bare = (object: JsonObject, metadata: JsonObject, annotations: JsonObject): string => {
    const { annotations: _, namespace, ...rest } = metadata;
    return canonicalJson({
      ...object,
      metadata: { ...rest, annotations, ...(namespace === undefined || added !== undefined ? {} : { namespace }) },
    });
  };
  if (bare(source, before, given) !== bare(now, after, ours)) return 'is rendered with other fields';
  return added === undefined ? undefined : `metadata.namespace is ${jsonText(added)}`;
}
