import { capsuleOf, type RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { CapsuleSource, DesiredEnvironment } from '#model/desired.ts';
import { durationText, instantText, parseDuration, parseInstant } from '#model/instant.ts';
import { pointerToken } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { quoted, visibleText } from '#model/quoted.ts';
import { closureOf } from './targets.ts';

/** V-96: what keeps targets in line ends, spares data, and compares something. */
export function syncProblems(context: RuleContext): readonly Problem[] {
  return context.state.environments.flatMap((environment) => [
    ...times(environment),
    ...retries(environment),
    ...pruning(context, environment),
    ...freezing(context, environment),
    ...ignoring(environment),
  ]);
}

type Trouble = readonly [place: Place, message: string, remedy: string];

function toProblem([place, message, remedy]: Trouble): Problem {
  return problemOf({ code: 'sync-invalid', rule: 'V-96', place, message, remedy });
}

/** An attempt that may last longer than twelve rounds is told apart from a hanging one too late. */
function times({ declared, name }: DesiredEnvironment): readonly Problem[] {
  const { sync } = declared.value.spec;
  const timeout = parseDuration(sync?.timeout ?? '');
  const interval = parseDuration(sync?.interval ?? '');
  const problems: Problem[] = [];
  if (interval === 0)
    problems.push(
      toProblem([declared.at('/spec/sync/interval'), `sync.interval of ${name} is no time at all`, 'Write a longer one, such as 5m.']),
    );
  else if (timeout !== undefined && interval !== undefined && timeout >= interval * 12)
    problems.push(
      toProblem([
        declared.at('/spec/sync/timeout'),
        `sync.timeout ${durationText(timeout)} of ${name} is not below 12 times its interval ${durationText(interval)}`,
        'Shorten the timeout, or look less often.',
      ]),
    );
  return problems;
}

function retries({ declared, name }: DesiredEnvironment): readonly Problem[] {
  const budget = declared.value.spec.sync?.retryBudget;
  if (budget === undefined) return [];
  const missing = budget.attempts === undefined ? 'attempts' : budget.per === undefined ? 'per' : undefined;
  const isEmpty = budget.per !== undefined && parseDuration(budget.per) === 0;
  if (missing === undefined && !isEmpty) return [];
  return [
    toProblem([
      declared.at(`/spec/sync/retryBudget${isEmpty ? '/per' : ''}`),
      isEmpty
        ? `retryBudget of ${name} has no limit: per is no time at all`
        : `retryBudget of ${name} has no limit: ${missing ?? ''} is missing`,
      'Write both, such as { attempts: 10, per: 1h }.',
    ]),
  ];
}

/** Persistent storage of what an environment deploys must not go with the declaration that made it. */
function pruning(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  const { declared, name } = environment;
  const { capsules, sync } = declared.value.spec;
  if ((sync?.prune ?? true) !== true || (sync?.deletionPolicy ?? 'Delete') !== 'Delete') return [];
  const requested = Object.entries(capsules ?? {}).filter(([, request]) => request.enabled !== false);
  const names = closureOf(
    context,
    requested.map(([instance, request]) => capsuleOf(instance, request)),
  );
  const keeper = names.flatMap((one) => context.capsules.get(one) ?? []).flatMap(persistentStorage)[0];
  if (keeper === undefined) return [];
  return [
    problemOf({
      code: 'sync-invalid',
      rule: 'V-96',
      place: declared.at(sync?.prune === undefined ? '/spec/sync' : '/spec/sync/prune'),
      message: `${name} prunes, and ${keeper.capsule.name} keeps data in ${keeper.component}.${keeper.storage}; it would go with its claim`,
      remedy: 'Write sync.prune: confirm, or a deletionPolicy other than Delete.',
      related: relatedTo(
        keeper.capsule.declared.at(`/spec/components${pointerToken(keeper.component)}/storage${pointerToken(keeper.storage)}`),
        'declared here',
      ),
    }),
  ];
}

interface Keeper {
  readonly capsule: CapsuleSource;
  readonly component: string;
  readonly storage: string;
}

function persistentStorage(capsule: CapsuleSource): readonly Keeper[] {
  return Object.entries(capsule.declared.value.spec.components ?? {}).flatMap(([component, declared]) =>
    Object.entries(declared.storage ?? {}).flatMap(([storage, { type }]) =>
      type === 'persistent' ? [{ capsule, component, storage }] : [],
    ),
  );
}

function freezing({ facts }: RuleContext, { declared, name }: DesiredEnvironment): readonly Problem[] {
  const { freeze } = declared.value.spec;
  if (freeze === undefined || freeze === null) return [];
  const at = declared.at('/spec/freeze');
  if (freeze.reason.trim() === '') return [toProblem([at, `the freeze of ${name} has no reason`, 'Say why, for whoever wants to end it.'])];
  if (freeze.until === undefined)
    return [toProblem([at, `the freeze of ${name} has no end`, 'Add until; it can be moved as long as the reason lasts.'])];
  const until = parseInstant(freeze.until);
  const place = declared.at('/spec/freeze/until');
  if (until === undefined) return [toProblem([place, `${quoted(freeze.until)} is no date and time`, 'Write a date, such as 2027-01-31.'])];
  if (facts.now === undefined || until > facts.now) return [];
  return [
    problemOf({
      code: 'freeze-over',
      rule: 'V-96',
      severity: 'warning',
      place,
      message: `the freeze of ${name} ended at ${instantText(until)} (now ${instantText(facts.now)})`,
      remedy: 'Take it away, or move its end.',
    }),
  ];
}

/** A path that covers everything, or what everybody declares. */
const WHOLE: ReadonlySet<string> = new Set(['', '/', '/spec', '/spec/']);

function ignoring({ declared }: DesiredEnvironment): readonly Problem[] {
  return (declared.value.spec.sync?.drift?.ignore ?? []).flatMap(({ target, paths }, index) =>
    paths.flatMap((path, at) => {
      const place = declared.at(`/spec/sync/drift/ignore/${index}/paths/${at}`);
      const what = visibleText(target.kind ?? 'every kind', 60);
      if (/~(?![01])/.test(path))
        return [toProblem([place, `drift.ignore ${quoted(path)} is no JSON pointer: ~ is written ~0`, 'Write ~0 for ~ and ~1 for /.'])];
      if (!WHOLE.has(path)) return [];
      return [
        toProblem([
          place,
          `drift.ignore covers all of ${path === '' || path === '/' ? 'the object' : '/spec'} of ${what}; nothing would be compared`,
          'Name the fields that something else writes, such as /spec/replicas.',
        ]),
      ];
    }),
  );
}
