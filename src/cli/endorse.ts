import { planEndorsement, planSeal, signPlan, type SigningPlan } from '#loops/endorse.ts';
import type { CommitId } from '#model/digest.ts';
import { visibleText } from '#model/quoted.ts';
import { parseSshPrivateKey, sshPublicKeyText } from '#model/ssh-key.ts';
import { signWithSshKey } from '#model/ssh-signature.ts';
import { PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { outputFormat, printDocument } from './output.ts';
import type { OpenedWorld } from './powers.ts';
import { commitOf, placeOf } from './repository.ts';
import { fileAt } from './signature-credentials.ts';

const LARGEST_KEY = 64 * 1024;

/** Adds a person's signature to what a branch brings; without a key it prints the git command that does. */
export function endorse(invocation: Invocation): Promise<number> {
  const [revision = 'HEAD'] = invocation.words;
  return run(invocation, async (world) => ({
    ...(await planEndorsement(world, revision, await commitOf(world, revision))),
    isSeal: false,
  }));
}

/** Accepts everything that stands on the default branch. */
export function seal(invocation: Invocation): Promise<number> {
  const { reason } = invocation.options;
  if (typeof reason !== 'string' || reason.trim() === '' || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(reason))
    throw new UsageError('--reason TEXT is needed, in one line: it stands in history for ever');
  return run(invocation, async (world) => ({ ...(await planSeal(world, reason.trim())), isSeal: true }));
}

type Planned = SigningPlan & { readonly isSeal: boolean };

async function run(invocation: Invocation, planned: (world: OpenedWorld) => Promise<Planned>): Promise<number> {
  const { options, powers, terminal } = invocation;
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const world = await powers.openWorld({ ...placeOf(options), readsCheckout: true }, terminal);
  try {
    const plan = await planned(world);
    const signer = typeof options.key === 'string' ? await signerOf(world, await fileAt(options.key, terminal, LARGEST_KEY)) : undefined;
    const commit = signer === undefined ? undefined : await signPlan(world, plan, signer);
    const command = `git commit --allow-empty -S -m "${plan.subject}" -m "${plan.trailer.replaceAll(/["$`\\]/g, String.raw`\$&`)}"`;
    const by = signer?.name ?? null;
    if (format === 'json')
      printDocument(terminal, 'Endorsement', {
        parent: plan.parent,
        trailer: plan.trailer,
        items: plan.units,
        commit: commit ?? null,
        by,
        command,
      });
    else terminal.out(textOf(plan, { commit, by, command }));
    const more = plan.isSeal ? await sealThresholds(world) : [];
    if (more.length > 0)
      terminal.err(
        `the seal counts once as many people signed as ${more.join(', ')} demands: let others endorse it right after (capstan endorse)\n`,
      );
    return EXIT.ok;
  } finally {
    await world.close();
  }
}

interface Done {
  readonly commit: CommitId | undefined;
  readonly by: string | null;
  readonly command: string;
}

/** Names of the thresholds without which one signature of a seal does nothing. */
async function sealThresholds(world: OpenedWorld): Promise<readonly string[]> {
  const main = await world.repository.resolve(world.settings.branch);
  const policy = main === undefined ? undefined : (await world.history.upTo(main)).trust.policy;
  return (policy?.thresholds ?? []).filter(({ purposes }) => purposes.includes('policy')).map(({ name }) => name);
}

function textOf({ units, ref, parent, isSeal }: Planned, { commit, by, command }: Done): string {
  const lines = units.flatMap(({ path, purpose, asks }) => [`${visibleText(path)} (${purpose})`, ...asks.map((text) => `  ${text}`)]);
  if (lines.length === 0 && commit === undefined && !isSeal) return 'nothing there waits for a signature\n';
  const where = ref === undefined ? parent.slice(0, 10) : ref.slice('refs/heads/'.length);
  if (commit !== undefined) lines.push(`signed by ${by ?? ''}: ${commit.slice(0, 10)} on ${where}; push it: git push origin ${where}`);
  else lines.push(`sign it with your own key, on ${where}:`, `  ${command}`);
  return `${lines.join('\n')}\n`;
}

/** A key that the project names, so that nobody pushes a signature that counts for nothing. */
async function signerOf(world: OpenedWorld, bytes: Uint8Array) {
  const read = parseSshPrivateKey(Buffer.from(bytes).toString('utf8'));
  if (!read.ok) throw new PortError('invalid', `--key: ${read.reason}; or leave it out and sign with git`);
  const main = await world.repository.resolve(world.settings.branch);
  const policy = main === undefined ? undefined : (await world.history.upTo(main)).trust.policy;
  const text = sshPublicKeyText(read.value.publicKey);
  const entry = policy?.entries.find(({ credential }) => credential.kind === 'ssh-key' && credential.key === text);
  if (entry === undefined) throw new PortError('invalid', '--key: no trust entry of the project names this key');
  const name = entry.user ?? entry.name;
  return { name, email: `${entry.name}@capstan.invalid`, sign: async (payload: Uint8Array) => signWithSshKey(read.value, payload) };
}
