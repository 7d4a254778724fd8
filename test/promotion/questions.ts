import type { Environment } from '#model/declarations.generated.ts';
import { sha256Of, toCommitId } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { toCapsuleName, toInstanceName } from '#model/names.ts';
import type { GateReading } from '#model/promotion.ts';
import type { Move } from '#model/resolution.ts';
import { readGates } from '#promotion/promotion.ts';
import { environment } from '#test/resolve/worlds.ts';

export type Spec = Partial<Environment['spec']>;
export type Evidence = Parameters<typeof readGates>[0]['evidence'];

export const GREETER = { greeter: { version: '^1.4.0' } };
export const COMMIT = toCommitId(sha256Of('c').slice(0, 40));

export const MOVE: Move = {
  instance: toInstanceName('greeter'),
  capsule: toCapsuleName('greeter'),
  from: { version: '1.4.1', sha256: sha256Of('a') },
  to: { version: '1.4.2', sha256: sha256Of('b') },
};
export const CHANGE = { id: 'cs-35abd357876817cd', moves: [MOVE] };
export const NOW = toInstant(Date.parse('2026-11-04T10:00:00.000Z'));
export const minutes = (count: number) => toInstant(NOW + count * 60_000);

export function gates(spec: Spec, evidence: Partial<Evidence> = {}): readonly GateReading[] {
  return readGates(
    {
      environment: environment('prod', GREETER, spec),
      changeSet: CHANGE,
      evidence: {
        risk: 'medium',
        upstream: [{ environment: 'staging', target: 'eu', instance: 'greeter', since: minutes(-4), until: undefined, state: 'healthy' }],
        releases: [{ instance: 'greeter', verdict: { kind: 'accepted', by: 'ci', commit: COMMIT } }],
        checks: undefined,
        policies: [],
        reviews: [],
        heads: [COMMIT],
        authors: new Set(['capstan[bot]']),
        releaseAuthors: new Set(['ada']),
        isMember: () => true,
        holds: () => true,
        kind: 'promotion',
        ...evidence,
      },
    },
    NOW,
  );
}

export const told = (readings: readonly GateReading[]) => readings.map((one) => `${one.name} ${one.status}: ${one.detail}`);
export const FROM = { promotion: { from: { environments: ['staging'] }, soak: '10m' } } as const;
