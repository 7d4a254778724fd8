import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';

type Tool = 'argocd' | 'flux';

const DRIVER_TOOL: ReadonlyMap<string, Tool> = new Map([
  ['delegate-argocd', 'argocd'],
  ['delegate-flux', 'flux'],
]);

/** V-96: what another tool applies must be found by it, and nothing may be asked of it that it cannot do. */
export function delegationProblems(context: RuleContext): readonly Problem[] {
  return context.state.environments.flatMap((environment) => {
    const targets = environment.targets.map((target) => ({ target, tool: toolOf(environment, target.value.driver) }));
    const tools = new Set(targets.flatMap(({ tool }) => (tool === undefined || tool === 'none' ? [] : [tool])));
    return [...targets.flatMap(({ target, tool }) => unfound(environment, target, tool)), ...unable(environment, tools)];
  });
}

/** `none`: it is to be delegated, and nobody says to whom. */
function toolOf({ declared }: DesiredEnvironment, driver: string): Tool | 'none' | undefined {
  const { sync } = declared.value.spec;
  const byDriver = DRIVER_TOOL.get(driver);
  if (byDriver !== undefined || sync?.mode !== 'delegate') return byDriver;
  return driver === 'kubernetes' ? (sync.delegate?.tool ?? 'none') : 'none';
}

function unfound(
  { declared, name }: DesiredEnvironment,
  target: DesiredEnvironment['targets'][number],
  tool: Tool | 'none' | undefined,
): readonly Problem[] {
  if (tool === undefined) return [];
  const { driver } = target.value;
  const what = `target ${quoted(target.name)} of ${name}`;
  if (!DRIVER_TOOL.has(driver) && driver !== 'kubernetes')
    return [
      trouble(
        target.at('/driver'),
        `sync.mode of ${name} is delegate, and ${what} has driver ${driver}, which no other tool applies to`,
        'Name driver kubernetes, delegate-argocd or delegate-flux, or take the target to an environment of its own.',
      ),
    ];
  if (declared.value.spec.sync?.delegate === undefined)
    return [
      trouble(
        target.at('/driver'),
        `${what} is applied by another tool, and sync.delegate does not say where that reads this repository`,
        'Add sync.delegate with the repository, and the tool where the driver does not name it.',
      ),
    ];
  if (tool !== 'none') return [];
  return [trouble(declared.at('/spec/sync/delegate'), `sync.delegate names no tool for ${what}`, 'Add tool: argocd or flux.')];
}

function unable({ declared, name }: DesiredEnvironment, tools: ReadonlySet<Tool>): readonly Problem[] {
  if (tools.size === 0) return [];
  const { sync, secrets } = declared.value.spec;
  const problems: Problem[] = [];
  const onDetect = sync?.drift?.onDetect ?? 'correct';
  if (onDetect === 'pullRequest')
    problems.push(
      trouble(
        declared.at('/spec/sync/drift/onDetect'),
        `${name} delegates, so Capstan does not see drift to propose`,
        'Write correct or report.',
      ),
    );
  if (tools.has('flux') && (sync?.selfHeal === false || onDetect === 'report'))
    problems.push(
      trouble(
        declared.at(sync?.selfHeal === false ? '/spec/sync/selfHeal' : '/spec/sync/drift/onDetect'),
        `${name} delegates to Flux, which always corrects drift`,
        'Let it, or delegate to Argo CD.',
      ),
    );
  if (tools.has('flux') && (sync?.drift?.ignore ?? []).length > 0)
    problems.push(
      trouble(
        declared.at('/spec/sync/drift/ignore'),
        `${name} delegates to Flux, which ignores no fields that git sets`,
        'Leave the fields out of what is rendered, or delegate to Argo CD.',
      ),
    );
  for (const [field, tool] of [
    ['project', 'argocd'],
    ['secretRef', 'flux'],
  ] as const) {
    if (sync?.delegate?.[field] !== undefined && !tools.has(tool))
      problems.push(
        trouble(
          declared.at(`/spec/sync/delegate/${field}`),
          `no target of ${name} is delegated to ${tool}, which alone reads ${field}`,
          `Remove ${field}.`,
        ),
      );
  }
  for (const [group, sources] of Object.entries(secrets ?? {}))
    for (const [key, source] of Object.entries(sources))
      if (source.provider === 'sops')
        problems.push(
          trouble(
            declared.at(`/spec/secrets${pointerToken(group)}${pointerToken(key)}/provider`),
            `${name} delegates, and only Capstan opens what it sealed: the other tool would apply the placeholder of ${quoted(`${group}.${key}`)}`,
            'Take the value from external-secrets or kubernetes.',
          ),
        );
  return problems;
}

function trouble(place: Place, message: string, remedy: string): Problem {
  return problemOf({ code: 'sync-invalid', rule: 'V-96', place, message, remedy });
}
