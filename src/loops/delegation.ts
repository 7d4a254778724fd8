import { assessDelegated } from '#health/health.ts';
import type { DeclaredTarget, DesiredEnvironment } from '#model/desired.ts';
import { toCommitId } from '#model/digest.ts';
import type { CommitId } from '#model/digest.ts';
import type { TargetHealth } from '#model/health.ts';
import { parseDuration } from '#model/instant.ts';
import { DEFAULT_TARGET_SYNC } from '#model/plan.ts';
import type { Observation } from '#model/plan.ts';
import type { TargetRendering } from '#model/rendering.ts';
import type { TargetDeclaration } from '#ports/target.ts';
import { renderDelegation } from '#render/render.ts';
import type { Delegation } from '#render/render.ts';
import type { Ledger } from './audit-branch.ts';
import { driftPolicy } from './drift.ts';
import type { RenderedHead } from './rendered-branch.ts';
import { isConfirmed, namespaceOf, targetDeclaration, targetSync } from './sync-rules.ts';
import type { World } from './world.ts';

/** A target that another tool keeps: what is written there is the tool's own objects, and its health is what the tool says. */
export interface Delegated {
  /** What the tool is to put there. */
  readonly rendering: TargetRendering;
  /** The objects that make it do so. */
  readonly objects: TargetRendering;
  readonly declaration: TargetDeclaration;
  /** Of the rendered branch; undefined in a dry run of what is not written yet. */
  readonly commit: CommitId | undefined;
}

const FIVE_MINUTES = 300_000;
const NAMESPACE = { argocd: 'argocd', flux: 'flux-system' } as const;
const DRIVER_TOOL: ReadonlyMap<string, Delegation['tool']> = new Map([
  ['delegate-argocd', 'argocd'],
  ['delegate-flux', 'flux'],
]);

/** Undefined where the engine applies the objects itself. */
export function toolOf(environment: DesiredEnvironment, target: DeclaredTarget): Delegation['tool'] | undefined {
  const { sync } = environment.declared.value.spec;
  const { driver } = target.value;
  return DRIVER_TOOL.get(driver) ?? (driver === 'kubernetes' && sync?.mode === 'delegate' ? sync.delegate?.tool : undefined);
}

export async function delegated(
  world: Pick<World, 'repository'>,
  target: { readonly environment: DesiredEnvironment; readonly declared: DeclaredTarget; readonly rendering: TargetRendering },
  told: { readonly ledger: Ledger; readonly head: RenderedHead | undefined },
): Promise<Delegated | undefined> {
  const { environment, declared, rendering } = target;
  const tool = toolOf(environment, declared);
  const settings = environment.declared.value.spec.sync?.delegate;
  if (tool === undefined || settings === undefined) return undefined;
  const delegation = delegationTo(tool, settings, target);
  const commit = await commitOf(world, rendering, told);
  return {
    rendering,
    objects: renderDelegation(
      { ...rendering, target: { ...rendering.target, namespace: namespaceOf(environment, declared) } },
      delegation,
      commit,
    ),
    commit,
    declaration: {
      ...targetDeclaration(environment, declared),
      driver: 'kubernetes',
      namespace: delegation.namespace,
      // The tool's namespace is shared: other targets have their objects there, too.
      inventory: `${environment.name}.${declared.name}`,
      sync: DEFAULT_TARGET_SYNC,
    },
  };
}

type Settings = NonNullable<NonNullable<DesiredEnvironment['declared']['value']['spec']['sync']>['delegate']>;

function delegationTo(
  tool: Delegation['tool'],
  settings: Settings,
  {
    environment,
    declared,
    rendering,
  }: { readonly environment: DesiredEnvironment; readonly declared: DeclaredTarget; readonly rendering: TargetRendering },
): Delegation {
  const { sync } = environment.declared.value.spec;
  const prune = sync?.prune ?? true;
  return {
    tool,
    namespace: settings.namespace ?? NAMESPACE[tool],
    project: settings.project ?? 'default',
    repository: settings.repository,
    secretRef: settings.secretRef,
    cluster: declared.value.cluster,
    prune: prune === true || (prune === 'confirm' && isConfirmed(environment, rendering.digest)),
    selfHeal: driftPolicy(environment).onDetect === 'correct',
    interval: parseDuration(sync?.interval ?? '') ?? FIVE_MINUTES,
    timeout: parseDuration(sync?.timeout ?? ''),
    retryInterval: parseDuration(sync?.retryInterval ?? ''),
    attempts: sync?.retryBudget?.attempts,
    wait: sync?.wait ?? true,
    ignore: targetSync(environment).ignore,
  };
}

/** The commit that brought the rendering, so that a commit which changes other targets changes nothing here. */
async function commitOf(
  { repository }: Pick<World, 'repository'>,
  { target, digest, metadata }: TargetRendering,
  { ledger, head }: { readonly ledger: Ledger; readonly head: RenderedHead | undefined },
): Promise<CommitId | undefined> {
  const written = head?.targets.get(target.name)?.metadata === metadata ? head?.commit : undefined;
  const last = ledger.targets.get(`${target.environment}/${target.name}`);
  if (written === undefined || last?.rendering !== digest || last.broughtBy === written) return written;
  const brought = toCommitId(last.broughtBy);
  // A branch that was taken away and written again does not have it.
  return (await repository.isAncestor(brought, written)) ? brought : written;
}

export function delegatedHealth({ rendering, objects, commit }: Delegated, observation: Observation): TargetHealth {
  return assessDelegated({ rendering, delegated: objects }, observation, commit);
}
