import type { Capsule } from '#model/declarations.generated.ts';
import type { Declared, DesiredState } from '#model/desired.ts';
import { isJsonObject, type Json, pointerKeys, pointerToken } from '#model/json.ts';
import { compareProblems, type Place, type Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';
import { problemOf } from './finding.ts';
import { type DeclaredKind, SUPPORT } from './honoured.ts';
import type { Effect, Unsupported } from './support.ts';

/** Something declared that this version does not act on. */
export interface NotHonoured extends Problem {
  readonly effect: Effect;
  /** Whom it concerns: a capsule concerns the environments that lock that version, a project or policy all of them. */
  readonly subject: { readonly kind: 'project' | 'environment' | 'capsule' | 'policy'; readonly name: string };
}

/** Everything of a state that is declared and not honoured, in the order people see problems. */
export function findNotHonoured(state: DesiredState): readonly NotHonoured[] {
  const out: NotHonoured[] = [];
  if (state.project !== undefined)
    out.push(...ofDeclared('Project', state.project, { kind: 'project', name: state.project.value.metadata.name }));
  for (const environment of state.environments) {
    const subject = { kind: 'environment', name: environment.name } as const;
    const { value } = environment.declared;
    const { targets: _, ...own } = value.spec;
    out.push(
      ...found(
        'Environment',
        {
          value: jsonOf({ ...value, spec: own }),
          at: (pointer) => environment.declared.at(pointer),
          drivers: new Set(environment.targets.map((target) => target.value.driver)),
        },
        subject,
      ),
    );
    for (const target of environment.targets) {
      const base = `/spec/targets${pointerToken(target.name)}`;
      const wrapped = jsonOf({ spec: { targets: { [target.name]: target.value } } });
      out.push(...found('Environment', { value: wrapped, at: (pointer) => target.at(pointer.slice(base.length)) }, subject));
    }
    if (environment.lock !== undefined) out.push(...ofDeclared('EnvironmentLock', environment.lock, subject));
  }
  for (const capsule of state.capsules) out.push(...ofCapsule(capsule.declared));
  for (const policy of state.policies) out.push(...ofDeclared('Policy', policy, { kind: 'policy', name: policy.value.metadata.name }));
  return out.sort(compareProblems);
}

/** The same for one capsule.yaml, also of a released version that the snapshot has no more. */
export function ofCapsule(declared: Declared<Capsule>): readonly NotHonoured[] {
  return ofDeclared('Capsule', declared, { kind: 'capsule', name: declared.value.metadata.name });
}

interface Judged {
  readonly value: Json;
  /** Of the targets of an environment. */
  readonly drivers?: ReadonlySet<string>;
  at(pointer: string): Place;
}

/** Documents were JSON before their schema gave them a type. */
function jsonOf(value: unknown): Json {
  return value as Json;
}

function ofDeclared(kind: DeclaredKind, declared: Declared<unknown>, subject: NotHonoured['subject']): readonly NotHonoured[] {
  return found(kind, { value: jsonOf(declared.value), at: (pointer) => declared.at(pointer) }, subject);
}

function found(kind: DeclaredKind, judged: Judged, subject: NotHonoured['subject']): readonly NotHonoured[] {
  return SUPPORT[kind].unsupported.flatMap((entry) =>
    matchesOn(judged, entry)
      .filter((match) => counts(match.value, entry))
      .map((match) => notHonoured({ entry, ...match, place: judged.at(match.pointer) }, subject)),
  );
}

function matchesOn({ value, drivers }: Judged, { pointer, driver }: Unsupported): readonly Match[] {
  return driver === undefined || drivers?.has(driver) === true ? matches(value, pointer) : [];
}

interface Match {
  readonly pointer: string;
  readonly value: Json;
}

/** The values of a document under a schema pointer; `*` is any name or index. */
function matches(root: Json, pattern: string): readonly Match[] {
  let here: readonly Match[] = [{ pointer: '', value: root }];
  for (const key of pointerKeys(pattern)) here = here.flatMap((match) => childrenOf(match, key));
  return here;
}

function childrenOf(match: Match, key: string): readonly Match[] {
  const { value, pointer } = match;
  if (key !== '*') {
    const child = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    return child === undefined ? [] : [{ pointer: `${pointer}${pointerToken(key)}`, value: child }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).map(([name, child]: [string, Json]) => ({ pointer: `${pointer}${pointerToken(name)}`, value: child }));
}

function counts(value: Json, entry: Unsupported): boolean {
  if (value === null || value === '' || value === false) return false;
  if (typeof value === 'object' && Object.keys(value).length === 0) return false;
  return !entry.harmless.includes(value);
}

function notHonoured(
  match: { readonly entry: Unsupported; readonly pointer: string; readonly value: Json; readonly place: Place },
  subject: NotHonoured['subject'],
): NotHonoured {
  const { entry, pointer, value } = match;
  const shown = typeof value === 'object' ? '' : ` ${visibleText(JSON.stringify(value), 80)}`;
  const where = entry.driver === undefined ? '' : ` on targets of driver ${entry.driver}`;
  const follows = entry.effect === 'holds' ? 'promotions wait' : 'nothing is synced';
  const instead =
    entry.harmless.length === 0 ? 'Take it out' : `Use ${entry.harmless.map((one) => JSON.stringify(one)).join(' or ')}, or take it out`;
  return {
    ...problemOf({
      code: 'not-supported',
      severity: 'warning',
      phase: 'sync',
      place: match.place,
      message: `${visibleText(pointer)}${shown} is declared, but this version of Capstan does not honour it${where}: ${follows} while it is there`,
      remedy: `${instead} until a version honours it.`,
    }),
    effect: entry.effect,
    subject,
  };
}
