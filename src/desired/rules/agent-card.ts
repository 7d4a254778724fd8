import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import { a2aInterfacesOf } from '#model/agent-protocols.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { isJsonObject, type Json, type JsonObject, jsonText } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';

/** Required fields (A2A 1.0, AgentCard, AgentSkill and AgentInterface of a2a.proto). */
const CARD = ['name', 'description', 'version', 'capabilities', 'defaultInputModes', 'defaultOutputModes', 'skills'] as const;
const SKILL = ['id', 'name', 'description', 'tags'] as const;
const INTERFACE = ['url', 'protocolBinding', 'protocolVersion'] as const;
const HARMLESS = new Set(['low', undefined]);
const BASE = '/spec/protocols/a2a';

/** V-71: the agent card has what callers look for; where risk is medium or more they are not sent in the clear. */
export function agentCardProblems(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  const a2a = capsule.declared.value.spec.protocols?.a2a;
  if (a2a === undefined || a2a === null) return [];
  const problem = (pointer: string, what: string, remedy: string): Problem =>
    problemOf({
      code: 'agent-card-invalid',
      rule: 'V-71',
      place: capsule.declared.at(`${BASE}${pointer}`),
      message: `agent card: ${what}`,
      remedy,
    });
  const { card } = a2a;
  if (card === undefined) return [problem('', 'is missing', 'Write it below protocols.a2a.card.')];
  const own = card['supportedInterfaces'] !== undefined;
  const interfaces = a2aInterfacesOf(capsule.declared.value);
  const problems: Problem[] = [];
  const lacking = lacks(card, CARD);
  if (interfaces.length === 0) lacking.push('supportedInterfaces');
  if (lacking.length > 0) problems.push(problem('/card', `lacks ${listed(lacking)}`, 'Add what callers need to know.'));
  problems.push(...skillProblems(card['skills'], problem));
  for (const [index, one] of interfaces.entries()) {
    const pointer = own ? `/card/supportedInterfaces/${index}` : `/interfaces/${index}`;
    const name = `${own ? 'supportedInterfaces' : 'interfaces'}[${index}]`;
    const missing = lacks(one, INTERFACE);
    if (missing.length > 0) problems.push(problem(pointer, `${name} lacks ${listed(missing)}`, 'Add it.'));
    const version = one['protocolVersion'];
    if (version !== undefined && !/^[0-9]{1,4}\.[0-9]{1,4}$/.test(jsonText(version)))
      problems.push(
        problem(`${pointer}/protocolVersion`, `${name}.protocolVersion must be Major.Minor`, 'Write it as text, such as "1.0".'),
      );
    const open = index === 0 && isInTheClear(jsonText(one['url'])) ? exposedIn(context, capsule) : [];
    if (open.length > 0)
      problems.push(
        problem(
          `${pointer}/url`,
          `${name}.url must be https in ${listed(open)}`,
          'Offer it with TLS, or deploy it in environments of low risk only.',
        ),
      );
  }
  return problems;
}

function lacks(object: JsonObject, fields: readonly string[]): string[] {
  return fields.filter((field) => {
    const value = object[field];
    return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
  });
}

function skillProblems(skills: Json | undefined, problem: (pointer: string, what: string, remedy: string) => Problem): readonly Problem[] {
  if (!Array.isArray(skills)) return [];
  const seen = new Set<string>();
  return skills.flatMap((skill: Json, index): readonly Problem[] => {
    const pointer = `/card/skills/${index}`;
    if (!isJsonObject(skill)) return [problem(pointer, `skills[${index}] is no object`, 'Write id, name, description and tags.')];
    const id = jsonText(skill['id']);
    const missing = lacks(skill, SKILL);
    const found = missing.length === 0 ? [] : [problem(pointer, `skills[${index}] lacks ${listed(missing)}`, 'Add it.')];
    if (id !== '' && seen.has(id))
      found.push(problem(`${pointer}/id`, `skill id ${quoted(id)} is there twice`, 'Give each skill an id of its own.'));
    seen.add(id);
    return found;
  });
}

/** What is put in when rendered cannot be judged here. */
function isInTheClear(url: string): boolean {
  return url !== '' && !url.startsWith('{{') && !/^https:\/\//i.test(url);
}

/** Environments of risk medium or more that deploy the capsule. */
function exposedIn(context: RuleContext, capsule: CapsuleSource): readonly string[] {
  return context.state.environments.flatMap((environment) =>
    !HARMLESS.has(environment.declared.value.spec.risk) && context.deployed.get(environment.name)?.has(capsule.name) === true
      ? [environment.name]
      : [],
  );
}
