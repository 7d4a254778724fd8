import type { DeclaredTarget, DesiredEnvironment } from '#model/desired.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { Secret } from '#model/secret.ts';
import type { Forge } from '#ports/forge.ts';
import { isPortError } from '#ports/port-error.ts';
import { differingBranch } from './default-branch.ts';
import type { Finding } from './doctor-finding.ts';
import { lookAtSigstore } from './doctor-sigstore.ts';
import { PROMOTE_CHECK } from './gate-evidence.ts';
import { keyFinding } from './own-key.ts';
import { prepareEnvironment } from './prepare-environment.ts';
import { targetDeclaration } from './sync-rules.ts';
import type { TrustOf } from './trust-of.ts';
import type { World } from './world.ts';

/** Where webhooks should arrive; `url` is undefined where the configuration does not say, `secret` where it cannot be read. */
export interface Webhook {
  readonly url: string | undefined;
  readonly secret: Secret | undefined;
}

export interface DiagnosisRequest {
  readonly publicKey: string;
  readonly fix: boolean;
  /** Undefined without a forge. */
  readonly webhook: Webhook | undefined;
}

/** Looks at everything a run depends on, and says what mends each. */
export async function diagnose(world: World, request: DiagnosisRequest): Promise<readonly Finding[]> {
  return [
    ...(await lookAtGit(world)),
    ...(await lookAtTrust(world, request.publicKey)),
    ...(await lookAtSigstore(world)),
    ...(await lookAtForge(world, request)),
    ...(await lookAtTargets(world)),
  ];
}

async function lookAtGit(world: World): Promise<readonly Finding[]> {
  const fetched = await attempt('git', async () => {
    await world.repository.fetch();
    return 'the repository answers';
  });
  if (await world.repository.isShallow())
    return [
      fetched,
      {
        subject: 'history',
        state: 'failed',
        detail: 'the clone is shallow, so no rule about history is judged',
        remedy: 'git fetch --unshallow',
      },
    ];
  const main = await world.repository.resolve(world.settings.branch);
  if (main === undefined)
    return [
      fetched,
      {
        subject: 'history',
        state: 'failed',
        detail: `there is no branch ${world.settings.branch}`,
        remedy: 'Push it, or set repository.branch in the configuration.',
      },
    ];
  const otherBranch = differingBranch(await world.reading.declarations(await world.reading.at(main)), world.settings);
  if (otherBranch !== undefined)
    return [fetched, { subject: 'history', state: 'failed', detail: otherBranch.message, remedy: otherBranch.remedy }];
  return [fetched, { subject: 'history', state: 'ok', detail: `${world.settings.branch} is at ${main.slice(0, 10)}`, remedy: undefined }];
}

async function lookAtTrust(world: World, publicKey: string): Promise<readonly Finding[]> {
  const main = await world.repository.resolve(world.settings.branch);
  if (main === undefined) return [];
  const { trust } = await world.history.upTo(main);
  const engine = keyFinding(world, trust, publicKey);
  const root: Finding =
    world.settings.trustRoot === undefined && world.settings.trustSigners === undefined
      ? {
          subject: 'trust root',
          state: 'warning',
          detail: 'is not pinned: the first commit of the repository is taken as it is',
          remedy: 'Set trust: { root: COMMIT } or trust: { allowedSigners: FILE } in the configuration.',
        }
      : {
          subject: 'trust root',
          state: 'ok',
          detail: world.settings.trustRoot ?? 'the first commit that a key of trust.allowedSigners signed',
          remedy: undefined,
        };
  return [engine, root, ...policyFindings(trust)];
}

/** Who may sign what, and what nobody is asked for. */
function policyFindings(trust: TrustOf): readonly Finding[] {
  const described = trust.described().map((detail): Finding => ({ subject: 'trust', state: 'ok', detail, remedy: undefined }));
  const held = trust.held().map(({ path, sentence }): Finding => {
    const remedy = 'Sign a change that puts it right, or endorse it as it stands: capstan endorse.';
    return { subject: 'trust', state: 'warning', detail: sentence.startsWith(path) ? sentence : `${path}: ${sentence}`, remedy };
  });
  const open = (['commit', 'capsule'] as const).filter((purpose) => trust.policy?.enforced.has(purpose) !== true);
  if (open.length === 0) return [...described, ...held.slice(0, MOST_HELD)];
  const detail = `no trust entry is for ${open.join(' or ')}: whoever may push may change what runs`;
  const remedy = 'Declare in spec.trust of environments/project.yaml who may sign; environments of high risk demand it.';
  return [...described, { subject: 'trust', state: 'warning', detail, remedy }, ...held.slice(0, MOST_HELD)];
}

/** More paths than these say nothing more. */
const MOST_HELD = 20;

async function lookAtForge(world: World, request: DiagnosisRequest): Promise<readonly Finding[]> {
  const { forge } = world;
  const { fix } = request;
  if (forge === undefined)
    return [
      {
        subject: 'forge',
        state: 'warning',
        detail: 'none is configured: nothing is promoted by pull request',
        remedy: 'Write capstan.yaml (README: point it at GitHub).',
      },
    ];
  const login = await attempt('forge', async () => {
    const account = await forge.account();
    return `logged in as ${account.login} (${account.kind})`;
  });
  if (login.state === 'failed') return [login];
  const protection = await forge.protection(world.settings.branch);
  const isRequired = protection.requiredChecks.includes(PROMOTE_CHECK);
  if (!isRequired && fix) await forge.protect(world.settings.branch, [...protection.requiredChecks, PROMOTE_CHECK]);
  const required: Finding =
    isRequired || fix
      ? { subject: 'required check', state: 'ok', detail: `${PROMOTE_CHECK} is required on ${world.settings.branch}`, remedy: undefined }
      : {
          subject: 'required check',
          state: 'warning',
          detail: `${PROMOTE_CHECK} is not required on ${world.settings.branch}: a person could merge past the gates (the engine looks again after the merge)`,
          remedy: 'capstan doctor --fix',
        };
  return [login, required, await lookAtWebhook(forge, request)];
}

async function lookAtWebhook(forge: Forge, { fix, webhook }: DiagnosisRequest): Promise<Finding> {
  const subject = 'webhook';
  const url = webhook?.url;
  if (url === undefined)
    return {
      subject,
      state: 'warning',
      detail: 'the configuration does not say where this service is reached, so changes are seen by polling only',
      remedy: 'Set server: { publicUrl: URL } in the configuration, then: capstan doctor --fix',
    };
  try {
    if (fix && webhook?.secret !== undefined) {
      await forge.installWebhook(url, webhook.secret);
      return { subject, state: 'ok', detail: `the forge sends to ${url}`, remedy: undefined };
    }
    if (await forge.hasWebhook(url)) return { subject, state: 'ok', detail: `the forge sends to ${url}`, remedy: undefined };
    const remedy = fix ? 'Set forge.webhookSecret in the configuration, with the variable or file it names.' : 'capstan doctor --fix';
    return { subject, state: 'warning', detail: `the forge sends nothing to ${url}`, remedy };
  } catch (error) {
    if (!isPortError(error)) throw error;
    const remedy =
      'Let the login administer webhooks (scope admin:repo_hook, or "Webhooks: write" of an App), or make the webhook by hand.';
    return { subject, state: 'warning', detail: error.message, remedy };
  }
}

async function lookAtTargets(world: World): Promise<readonly Finding[]> {
  const main = await world.repository.resolve(world.settings.branch);
  if (main === undefined) return [];
  const { state } = await world.reading.declarations(await world.reading.at(main));
  const findings: Finding[] = [];
  for (const environment of state.environments) {
    const preparation = await prepareEnvironment(world, environment.name, main);
    const renderings = preparation.kind === 'ready' ? preparation.prepared.rendered.rendering.targets : [];
    for (const target of environment.targets) {
      const wanted = renderings.find((rendering) => rendering.target.name === target.name)?.objects ?? [];
      findings.push(...(await lookAtTarget(world, { environment, target, keys: wanted.map(({ key }) => key) })));
    }
  }
  return findings;
}

interface LookedAt {
  readonly environment: DesiredEnvironment;
  readonly target: DeclaredTarget;
  /** What shall be there. */
  readonly keys: readonly ObjectKey[];
}

async function lookAtTarget(world: World, { environment, target, keys }: LookedAt): Promise<readonly Finding[]> {
  const subject = `target ${environment.name}/${target.name}`;
  const more: Finding[] = [];
  const first = await attempt(subject, async () => {
    const opened = await world.targets.open(environment.name, target.name, targetDeclaration(environment, target));
    if (opened.examine !== undefined) {
      const [reached, ...rest] = await opened.examine(keys);
      more.push(...rest.map((finding) => ({ subject, ...finding })));
      return reached?.detail ?? 'answers';
    }
    const observation = await opened.observe([]);
    return observation.inventory === undefined ? 'can be read, nothing is there yet' : `${observation.inventory.objects.length} objects`;
  });
  return [first, ...more];
}

async function attempt(subject: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { subject, state: 'ok', detail: await look(), remedy: undefined };
  } catch (error) {
    if (!isPortError(error)) throw error;
    return {
      subject,
      state: error.kind === 'unsupported' ? 'warning' : 'failed',
      detail: error.message,
      remedy: 'See the message; `capstan explain` lists problems by code.',
    };
  }
}
