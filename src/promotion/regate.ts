import type { DesiredEnvironment } from '#model/desired.ts';
import type { Instant } from '#model/instant.ts';
import { placeInFile, type Problem } from '#model/problem.ts';
import type { GateReading } from '#model/promotion.ts';
import type { Reason } from '#model/receipt.ts';

/** Whether a lock that changed on the default branch may be acted on. */
export type LockVerdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'waiting'; readonly reasons: readonly string[]; readonly until: Instant | undefined }
  | { readonly kind: 'stuck'; readonly problems: readonly Problem[] };

const OF_TIME: readonly string[] = ['soak', 'window'];

/**
 * Gates are read again whoever merged: those of time wait, any other that does not hold is stuck. In an emergency only approvals and
 * policies count; a policy that an emergency may pass says so in its exceptions.
 */
export function regated(environment: DesiredEnvironment, gates: readonly GateReading[], reason: Reason): LockVerdict {
  const counted = reason === 'emergency' ? gates.filter((gate) => gate.type === 'approval' || gate.type === 'policy') : gates;
  const open = counted.filter((gate) => gate.status !== 'passed');
  const hard = open.filter((gate) => !OF_TIME.includes(gate.type));
  if (hard.length > 0) return { kind: 'stuck', problems: hard.map((gate) => notPassed(environment, gate)) };
  if (reason === 'emergency' && !counted.some((gate) => gate.type === 'approval'))
    return { kind: 'stuck', problems: [unapproved(environment)] };
  if (open.length === 0) return { kind: 'passed' };
  const times = open.flatMap((gate) => (gate.until === undefined ? [] : [gate.until]));
  return {
    kind: 'waiting',
    reasons: open.map((gate) => `${gate.name}: ${gate.detail}`),
    until: times.length < open.length ? undefined : times.reduce((latest, time) => (time > latest ? time : latest)),
  };
}

/** Versions in quarantine that a lock brings in; no gate and no emergency makes up for one. */
export function quarantinedMoves(
  environment: DesiredEnvironment,
  arriving: readonly { readonly capsule: string; readonly version: string; readonly reason: string }[],
): readonly Problem[] {
  return arriving.map(({ capsule, version, reason }) => ({
    code: 'version-quarantined',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `the lock of ${environment.name} brings ${capsule} ${version}, which is in quarantine: ${reason}`,
    remedy: `Revert the change of the lock, or take ${capsule}@${version} out of spec.quarantine in environments/project.yaml.`,
    place: placeInFile(environment.lock?.file ?? environment.declared.file),
    related: [],
  }));
}

/** Gates that are rules have codes of their own. */
const RULED = {
  'upgrade-path': { code: 'upgrade-path-missing', rule: 'V-23', remedy: 'Revert the change of the lock, and promote what it names first.' },
  'rollback-plan': { code: 'rollback-impossible', rule: 'V-79', remedy: 'Revert the change of the lock, or declare how to go back.' },
} as const;

function notPassed(environment: DesiredEnvironment, gate: GateReading): Problem {
  const base = {
    severity: 'error',
    phase: 'sync',
    place: placeInFile(environment.lock?.file ?? environment.declared.file),
    related: [],
  } as const;
  if (gate.type === 'upgrade-path') return { ...base, ...RULED['upgrade-path'], message: gate.detail };
  if (gate.type === 'rollback-plan') return { ...base, ...RULED['rollback-plan'], message: gate.detail };
  return {
    ...base,
    code: 'gate-not-passed',
    rule: undefined,
    message: `the lock of ${environment.name} changed, but gate ${gate.name} (${gate.type}) is ${gate.status}: ${gate.detail}`,
    remedy: 'Revert the change of the lock, or make the gate pass.',
  };
}

function unapproved(environment: DesiredEnvironment): Problem {
  return {
    code: 'gate-not-passed',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `the lock of ${environment.name} changed as an emergency, but the environment declares no approvals that could allow one`,
    remedy: 'Declare spec.approvals, or promote without the emergency.',
    place: placeInFile(environment.lock?.file ?? environment.declared.file),
    related: [],
  };
}
