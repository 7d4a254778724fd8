import { healthyPeriod, healthySince } from '#ledger/ledger.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { toEnvironmentName } from '#model/names.ts';
import type { CapsuleName, EnvironmentName, InstanceName } from '#model/names.ts';
import type { Pin, Release } from '#model/resolution.ts';
import { pinsOfLock } from '#resolve/resolve.ts';
import type { Ledger } from './audit-branch.ts';
import type { Declarations } from './reading.ts';

/** Names of the environments a promotion comes from; empty for an entry environment. */
export function upstreamNames(environment: DesiredEnvironment): readonly EnvironmentName[] {
  return (environment.declared.value.spec.promotion?.from?.environments ?? []).map((name) => toEnvironmentName(name));
}

/** The declared environments above. */
export function upstreamsOf(declarations: Declarations, environment: DesiredEnvironment): readonly DesiredEnvironment[] {
  return upstreamNames(environment).flatMap((name) => declarations.state.environments.find((item) => item.name === name) ?? []);
}

export function pinsIn(environment: DesiredEnvironment): readonly Pin[] {
  return environment.lock === undefined ? [] : pinsOfLock(environment.lock.value);
}

/** What an instance is called in an environment above: the same, else the only one of its capsule. */
export function instanceAbove(upstream: DesiredEnvironment, instance: InstanceName, capsule: CapsuleName): InstanceName {
  const own = pinsIn(upstream).filter((pin) => pin.capsule === capsule);
  const [only] = own;
  return own.length === 1 && only !== undefined && !own.some((pin) => pin.instance === instance) ? only.instance : instance;
}

/** Applied and healthy in every target of the environment, now. */
export function isVerified(ledger: Ledger, environment: DesiredEnvironment, pin: Pick<Pin, 'instance' | 'version' | 'sha256'>): boolean {
  const where = { environment: environment.name, targets: environment.targets.map((target) => target.name) };
  return healthySince(ledger, where, pin) !== undefined;
}

/** What each target lacks for a pin to be verified, in words. */
export function lacksOf(
  ledger: Ledger,
  environment: DesiredEnvironment,
  pin: Pick<Pin, 'instance' | 'version' | 'sha256'>,
): readonly string[] {
  return environment.targets.flatMap(({ name }) => {
    const place = { environment: environment.name, target: name };
    const period = healthyPeriod(ledger, place, pin);
    if (period !== undefined && period.until === undefined) return [];
    const key = `${environment.name}/${name}`;
    const state = ledger.instances.get(key)?.get(pin.instance);
    if (state === undefined) return [`${key} does not have it yet`];
    if (state.version !== pin.version || state.sha256 !== pin.sha256) return [`${key} has ${state.version}`];
    if (ledger.targets.get(key)?.health === 'unknown') return [`${key} cannot be looked at`];
    return [`${key} is ${state.health}`];
  });
}

/** Whether the environments above let a release come down: healthy in every target that it ran in last, in all of them or (`any`) in one. */
export function wasVerifiedAbove(ledger: Ledger, declarations: Declarations, environment: DesiredEnvironment, release: Release): boolean {
  const upstreams = upstreamsOf(declarations, environment);
  const isGood = (upstream: DesiredEnvironment): boolean =>
    pinsIn(upstream)
      .filter((pin) => pin.capsule === release.capsule)
      .some(({ instance }) =>
        upstream.targets.every((target) => {
          const place = { environment: upstream.name, target: target.name };
          return healthyPeriod(ledger, place, { instance, version: release.version, sha256: undefined }) !== undefined;
        }),
      );
  const isAny = environment.declared.value.spec.promotion?.from?.strategy === 'any';
  return isAny ? upstreams.some(isGood) : upstreams.length > 0 && upstreams.every(isGood);
}
