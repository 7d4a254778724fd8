import { isPortError } from '#ports/port-error.ts';
import { allowedSigners } from '#trust/trust.ts';
import { PROMOTE_CHECK } from './gate-evidence.ts';
import type { World } from './world.ts';

export interface Finding {
  readonly subject: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to type or change; undefined when nothing is wrong. */
  readonly remedy: string | undefined;
}

/** Looks at everything a run depends on, and says what mends each. */
export async function diagnose(world: World, request: { readonly publicKey: string; readonly fix: boolean }): Promise<readonly Finding[]> {
  return [
    ...(await lookAtGit(world)),
    ...(await lookAtTrust(world, request.publicKey)),
    ...(await lookAtForge(world, request.fix)),
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
  return [fetched, { subject: 'history', state: 'ok', detail: `${world.settings.branch} is at ${main.slice(0, 10)}`, remedy: undefined }];
}

async function lookAtTrust(world: World, publicKey: string): Promise<readonly Finding[]> {
  const main = await world.repository.resolve(world.settings.branch);
  if (main === undefined) return [];
  const { state } = await world.reading.declarations(await world.reading.at(main));
  const { signers } = allowedSigners(state.project);
  const isKnown = signers.some((signer) => signer.purposes.includes('engine') && signer.sshKey === publicKey);
  const engine: Finding = isKnown
    ? { subject: 'engine key', state: 'ok', detail: 'stands in spec.trust', remedy: undefined }
    : {
        subject: 'engine key',
        state: 'warning',
        detail: 'no trust entry is for this engine, so `verify` will not accept what it signs',
        remedy: `Add to spec.trust in environments/project.yaml: { name: engine, sshKey: "${publicKey}", for: [engine] }`,
      };
  const root: Finding =
    world.settings.trustRoot === undefined
      ? {
          subject: 'trust root',
          state: 'warning',
          detail: 'is not pinned: the first commit of the repository is taken as it is',
          remedy: 'Set trust: { root: COMMIT } in the configuration.',
        }
      : { subject: 'trust root', state: 'ok', detail: world.settings.trustRoot, remedy: undefined };
  return [engine, root];
}

async function lookAtForge(world: World, fix: boolean): Promise<readonly Finding[]> {
  const { forge } = world;
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
  return [login, required];
}

async function lookAtTargets(world: World): Promise<readonly Finding[]> {
  const main = await world.repository.resolve(world.settings.branch);
  if (main === undefined) return [];
  const { state } = await world.reading.declarations(await world.reading.at(main));
  const findings: Finding[] = [];
  for (const environment of state.environments) {
    for (const target of environment.targets) {
      findings.push(
        await attempt(`target ${environment.name}/${target.name}`, async () => {
          const opened = await world.targets.open(environment.name, target.name, { driver: target.value.driver, path: target.value.path });
          const observation = await opened.observe([]);
          return observation.inventory === undefined
            ? 'can be read, nothing is there yet'
            : `${observation.inventory.objects.length} objects`;
        }),
      );
    }
  }
  return findings;
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
