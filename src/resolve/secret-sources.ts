import type { Capsule } from '#model/declarations.generated.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';

/** A version that an environment runs or would run as an instance. */
export interface SecretUser {
  readonly instance: string;
  readonly capsule: Capsule;
  /** False for a version that only says what may be declared ahead. */
  readonly isDeployed: boolean;
}

/** V-81: every secret that an instance cannot do without has a source, and every source is of a secret that some version of it declares. */
export function sourceProblems({ name, declared }: DesiredEnvironment, users: readonly SecretUser[]): readonly Problem[] {
  const sources = declared.value.spec.secrets ?? {};
  const base = { rule: 'V-81', severity: 'error', phase: 'validate', related: [] } as const;
  const problems: Problem[] = [];
  const known = new Map<string, Set<string>>();
  for (const { instance, capsule, isDeployed } of users) {
    const own = known.get(instance) ?? new Set<string>();
    known.set(instance, own);
    for (const [secret, { required }] of Object.entries(capsule.spec.secrets ?? {})) {
      own.add(secret);
      const given = Object.hasOwn(sources, instance) ? sources[instance] : undefined;
      if (!isDeployed || required === false || (given !== undefined && Object.hasOwn(given, secret))) continue;
      problems.push({
        ...base,
        code: 'secret-without-source',
        place: declared.at(`/spec/secrets${pointerToken(instance)}`),
        message: `${name} has no source for secret ${instance}/${secret}`,
        remedy: `Add spec.secrets.${instance}.${secret} with provider kubernetes (an existing Secret) or external-secrets.`,
      });
    }
  }
  for (const [instance, given] of Object.entries(sources)) {
    const own = known.get(instance);
    // What is switched off keeps its sources until it is switched on again.
    if (own === undefined && declared.value.spec.capsules?.[instance] !== undefined) continue;
    for (const secret of Object.keys(given)) {
      if (own?.has(secret) === true) continue;
      const names = own === undefined ? [...known.keys()] : [...own];
      problems.push({
        ...base,
        code: 'secret-source-unknown',
        place: declared.at(`/spec/secrets${pointerToken(instance)}${pointerToken(secret)}`),
        message:
          own === undefined
            ? `${name} has a source for secret ${instance}/${secret}, but deploys no ${quoted(instance)}${didYouMean(instance, names)}`
            : `${name} has a source for secret ${instance}/${secret}, which its capsule does not declare${didYouMean(secret, names)}`,
        remedy:
          names.length === 0 ? 'Take the source away, or declare the secret.' : `Take the source away, or use one of: ${listed(names)}.`,
      });
    }
  }
  return problems;
}
