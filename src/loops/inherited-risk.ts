import type { Capsule } from '#model/declarations.generated.ts';
import { toInstanceName } from '#model/names.ts';
import type { InstanceName } from '#model/names.ts';
import type { Move, Pin } from '#model/resolution.ts';
import type { Reading } from './reading.ts';

type Risk = NonNullable<NonNullable<Capsule['spec']['security']>['risk']>;

const LEVELS: readonly Risk[] = ['low', 'medium', 'high', 'critical'];

/** The risk of what each moved instance shapes: its own or its nearest parent's, and for a parent that of what extends it, too. */
export async function inheritedRisks(
  reading: Reading,
  pins: readonly Pin[],
  moves: readonly Move[],
): Promise<ReadonlyMap<InstanceName, Risk | undefined>> {
  const related = pins.filter((pin) =>
    moves.some(
      ({ instance }) => pin.instance === instance || pin.instance.startsWith(`${instance}.`) || instance.startsWith(`${pin.instance}.`),
    ),
  );
  const loaded = await reading.capsules(related.map((pin) => ({ name: pin.capsule, tree: pin.gitTree })));
  const specs = new Map(related.map((pin, at) => [pin.instance, loaded[at]?.source?.declared.value.spec]));
  return new Map(
    moves.map(({ instance, capsule }) => [instance, greatest(shapedBy(specs, instance, capsule).map((one) => riskOf(specs, one)))]),
  );
}

type Specs = ReadonlyMap<InstanceName, Capsule['spec'] | undefined>;

/** The instance and whatever extends it, one after the other. */
function shapedBy(specs: Specs, instance: InstanceName, capsule: string): readonly InstanceName[] {
  const dot = instance.lastIndexOf('.');
  const owner = dot < 0 ? undefined : toInstanceName(instance.slice(0, dot));
  const isExtended = owner !== undefined && instance.slice(dot + 1) === capsule && specs.get(owner)?.extends?.capsule === capsule;
  return isExtended ? [instance, ...shapedBy(specs, owner, owner.slice(owner.lastIndexOf('.') + 1))] : [instance];
}

function riskOf(specs: Specs, instance: InstanceName): Risk | undefined {
  const spec = specs.get(instance);
  const parent = spec?.extends?.capsule;
  if (spec === undefined) return undefined;
  return spec.security?.risk ?? (parent === undefined ? undefined : riskOf(specs, toInstanceName(`${instance}.${parent}`)));
}

function greatest(risks: readonly (Risk | undefined)[]): Risk | undefined {
  const level = Math.max(-1, ...risks.map((risk) => (risk === undefined ? -1 : LEVELS.indexOf(risk))));
  return LEVELS[level];
}
