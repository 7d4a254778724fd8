import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { appendEvidence } from '#loops/add-evidence.ts';
import { evidenceBranch } from '#loops/evidence-branch.ts';
import { pendingApprovals, type PendingApproval } from '#loops/pending-approval.ts';
import { APPROVAL_NAMESPACE, approvalFile, approvalText, parseApproval } from '#model/signed-approval.ts';
import { parseSshPrivateKey } from '#model/ssh-key.ts';
import { signWithSshKey } from '#model/ssh-signature.ts';
import type { TrustEntry } from '#model/trust-policy.ts';
import { PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { outputFormat, printable, printDocument } from './output.ts';
import type { OpenedWorld } from './powers.ts';
import { headOf, placeOf } from './repository.ts';
import { fileAt } from './signature-credentials.ts';

const LARGEST = 64 * 1024;

/** A person's own signature over a change set: with `--key` at once, else the text to sign with ssh-keygen, which comes back by `--signature`. */
export async function approve(invocation: Invocation): Promise<number> {
  const { options, powers, terminal } = invocation;
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    await world.repository.fetch(terminal.signal);
    const signed = await signedIn(invocation, world);
    if (signed === undefined) return EXIT.ok;
    const file = Buffer.from(approvalFile(signed.statement, signed.signature), 'utf8');
    const read = parseApproval(file);
    if (!read.ok) throw new PortError('invalid', `the approval does not count: ${read.reason}`);
    const { approved, sshKey } = read.value;
    const { trust } = await world.history.upTo(await headOf(world));
    const branch = evidenceBranch(trust.project);
    const message = `evidence: approval of ${approved.changeSet}\n\nEnvironment: ${approved.environment}\nChange-Set: ${approved.changeSet}\n`;
    const bundles = [{ sha256: approved.sha256, answers: 'approval', bundle: file, form: 'approval' as const }];
    const [added] = await appendEvidence(world, { branch, bundles, by: 'anyone', message }, terminal.signal);
    if (format === 'json') printDocument(terminal, 'SignedApproval', { ...approved, sshKey, branch, path: added?.path ?? null });
    else terminal.out(printable(`approved ${approved.changeSet} for ${approved.environment}: ${branch}:${added?.path ?? ''}\n`));
    if (trust.policy?.entries.some((entry) => isForApproval(entry, sshKey)) !== true)
      terminal.err('warning: this approval does not count: no trust entry of the project that is for approval names the key\n');
    if (world.forge === undefined) terminal.say(`the branch ${branch} stands in this repository: git push origin ${branch}\n`);
    return EXIT.ok;
  } finally {
    await world.close();
  }
}

function isForApproval({ credential, purposes }: TrustEntry, key: string): boolean {
  return purposes.includes('approval') && credential.kind === 'ssh-key' && credential.key === key;
}

interface Signed {
  readonly statement: string;
  readonly signature: string;
}

/** Undefined where only the text was written. */
async function signedIn(invocation: Invocation, world: OpenedWorld): Promise<Signed | undefined> {
  const { options, terminal } = invocation;
  const [key, signature, statement] = ['key', 'signature', 'statement'].map((name) => textOf(options, name));
  if (signature !== undefined) {
    if (statement === undefined || key !== undefined)
      throw new UsageError('--signature FILE goes with --statement FILE, the text that was signed, and without --key');
    return { statement: await textAt(statement, invocation), signature: await textAt(signature, invocation) };
  }
  const { draft, approved } = await pending(invocation, world);
  const text = approvalText(approved, world.clock.now());
  terminal.say(printable(`${draft.title} (${approved.changeSet})\n${draft.file.patch}`));
  if (key === undefined) {
    if (statement === undefined) throw new UsageError('--key FILE signs at once; --statement FILE writes the text for ssh-keygen');
    await writeFile(resolve(terminal.cwd, statement), text);
    terminal.say(
      `ssh-keygen -Y sign -n ${APPROVAL_NAMESPACE} -f KEY ${statement}\ncapstan approve ${approved.environment} --statement ${statement} --signature ${statement}.sig\n`,
    );
    return undefined;
  }
  const read = parseSshPrivateKey(await textAt(key, invocation));
  if (!read.ok) throw new PortError('invalid', `--key: ${read.reason}; any other key signs with ssh-keygen: --statement FILE`);
  return { statement: text, signature: signWithSshKey(read.value, Buffer.from(text, 'utf8'), APPROVAL_NAMESPACE) };
}

/** The one change set that would move, or the one that was named. */
async function pending({ words, terminal }: Invocation, world: OpenedWorld): Promise<PendingApproval> {
  const [environment = '', wanted] = words;
  const waiting = await pendingApprovals(world, environment, terminal.signal);
  const [only, ...others] = waiting.filter(({ approved }) => wanted === undefined || approved.changeSet === wanted);
  if (only !== undefined && others.length === 0) return only;
  const known = waiting.map(({ approved }) => approved.changeSet).join(', ') || 'none';
  if (only !== undefined) throw new UsageError(`several change sets wait for ${environment}; name one: ${known}`);
  throw new PortError(
    'missing',
    `no change set${wanted === undefined ? '' : ` ${wanted}`} waits to be promoted to ${environment} (known: ${known})`,
  );
}

async function textAt(path: string, { terminal }: Invocation): Promise<string> {
  return Buffer.from(await fileAt(path, terminal, LARGEST)).toString('utf8');
}

function textOf(options: Invocation['options'], name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
