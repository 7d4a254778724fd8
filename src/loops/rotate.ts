import { rotationCommitMessage } from '#ledger/ledger.ts';
import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import { sha256Of } from '#model/digest.ts';
import { encodeCommit } from '#model/git-commit.ts';
import type { Person } from '#model/git-objects.ts';
import type { Instant } from '#model/instant.ts';
import { instantText, parseInstant, toInstant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import { NOWHERE, placeInFile } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { ChangeRequest } from '#model/promotion.ts';
import { accepted, refused } from '#model/result.ts';
import type { Result } from '#model/result.ts';
import { ROTATION_NAMESPACE, withSecondSignature } from '#model/rotation.ts';
import { textPatch } from '#model/text-patch.ts';
import { withRotatedEntry } from '#model/trust-text.ts';
import type { Signer } from '#ports/machine.ts';
import { judgeRotation, readTrustPolicy } from '#trust/trust.ts';
import type { World } from './world.ts';

const PROJECT = 'environments/project.yaml';

export interface RotateRequest {
  readonly next: Signer;
  /** Milliseconds for which both keys count: time to merge, and to give the engine its new key. */
  readonly overlap: number;
  readonly dryRun: boolean;
}

export interface Rotated {
  readonly from: string;
  readonly to: string;
  readonly publicKey: string;
  readonly validUntil: string;
  readonly branch: string;
  readonly patch: string;
  /** Undefined in a dry run, and where the project says so already. */
  readonly commit: CommitId | undefined;
  readonly change: ChangeRequest | undefined;
  readonly isDone: boolean;
}

interface Ground {
  readonly main: CommitId;
  readonly project: Declared<Project>;
  readonly text: string;
  readonly branch: string;
}

/**
 * Proposes that `next` follows this engine's key: a branch with one commit that both keys sign, and a pull request where there is a forge.
 * The branch is named after the new key, so a run that died anywhere is continued by the next one.
 */
export async function rotateKey(world: World, request: RotateRequest, signal?: AbortSignal): Promise<Result<Rotated>> {
  const ground = await groundOf(world, request.next);
  if (ground === undefined)
    return refused([
      problem(
        'the default branch declares no project that can be read',
        'Write environments/project.yaml; capstan validate says what is wrong with it.',
      ),
    ]);
  const done = doneBefore(ground, request.next);
  if (done !== undefined) return accepted(done);
  const there = (await world.repository.refs()).get(branchRef(ground.branch));
  const standing = there === undefined ? undefined : await standingRotation(world, ground, { commit: there, next: request.next });
  if (standing !== undefined && there !== undefined) {
    const change = request.dryRun ? undefined : await propose(world, ground, standing);
    return accepted({ ...standing, commit: request.dryRun ? undefined : there, change });
  }
  const draft = draftRotation(world, ground, request);
  if (!draft.ok) return draft;
  const { after, facts } = draft.value;
  if (request.dryRun) return accepted(facts);
  const commit = await writeRotation(world, ground, { next: request.next, after, facts });
  const written = await standingRotation(world, ground, { commit, next: request.next });
  if (written === undefined) throw new Error('a rotation that was just written must be one');
  await world.repository.push([{ ref: branchRef(ground.branch), expected: there, next: commit }], signal);
  return accepted({ ...facts, commit, change: await propose(world, ground, facts) });
}

async function groundOf(world: World, next: Signer): Promise<Ground | undefined> {
  const main = await world.repository.resolve(world.settings.branch);
  if (main === undefined) return undefined;
  const found = await projectAt(world, main);
  return found && { main, ...found, branch: `rotate/engine-${sha256Of(next.publicKey).slice(0, 12)}` };
}

async function projectAt(world: World, commit: CommitId): Promise<Pick<Ground, 'project' | 'text'> | undefined> {
  const { project } = (await world.reading.declarations(await world.reading.at(commit))).state;
  if (project === undefined) return undefined;
  return { project, text: Buffer.from(await world.repository.blob(project.blob)).toString('utf8') };
}

/** Merged before: the new key is trusted for engines already. */
function doneBefore({ project, branch }: Ground, next: Signer): Rotated | undefined {
  const signer = engineOf(project, next.publicKey);
  if (signer === undefined) return undefined;
  const facts = { from: '', to: signer.name, publicKey: next.publicKey, validUntil: '', branch, patch: '' };
  return { ...facts, commit: undefined, change: undefined, isDone: true };
}

/** Engines sign with SSH keys, which stand in the project itself. */
function signersOf(project: Declared<Project>) {
  return readTrustPolicy(project, new Map()).policy.entries;
}

function engineOf(project: Declared<Project>, publicKey: string) {
  return signersOf(project).find(
    ({ purposes, credential }) => purposes.includes('engine') && credential.kind === 'ssh-key' && credential.key === publicKey,
  );
}

/** A rotation that stands on the branch and would count if it were merged now. */
async function standingRotation(
  world: World,
  ground: Ground,
  found: { readonly commit: CommitId; readonly next: Signer },
): Promise<Rotated | undefined> {
  const proposed = await projectAt(world, found.commit);
  if (proposed === undefined) return undefined;
  const commit = await world.repository.commit(found.commit);
  const question = { before: ground.project.value, after: proposed.project.value, firstSeen: world.clock.now() };
  const verdict = judgeRotation(commit, { ...question, signers: signersOf(ground.project) });
  if (verdict.kind === 'refused' || engineOf(proposed.project, found.next.publicKey)?.name !== verdict.change.to.name) return undefined;
  const { from, to } = verdict.change;
  const ended = proposed.project.value.spec.trust?.find((entry) => entry.name === from.name);
  return {
    from: from.name,
    to: to.name,
    publicKey: found.next.publicKey,
    validUntil: ended?.validUntil ?? '',
    branch: ground.branch,
    patch: textPatch(PROJECT, ground.text, proposed.text),
    commit: found.commit,
    change: undefined,
    isDone: false,
  };
}

function draftRotation(
  world: World,
  { project, text, branch }: Ground,
  { next, overlap }: RotateRequest,
): Result<{ readonly after: string; readonly facts: Rotated }> {
  const trust = project.value.spec.trust ?? [];
  const old = engineOf(project, world.signer.publicKey);
  const index = trust.findIndex((entry) => entry.name === old?.name);
  const entry = trust[index];
  if (old === undefined || entry === undefined)
    return refused([
      problem(
        "this engine's key stands in no trust entry for engines, so it cannot hand anything on",
        "Let somebody who may sign declarations add the new key to spec.trust; see 'capstan identity'.",
      ),
    ]);
  const until = toInstant(world.clock.now() + overlap);
  const validUntil = earlier(entry.validUntil, `${instantText(until).slice(0, 19)}Z`, until);
  const to = freshName(
    entry.name,
    trust.map(({ name }) => name),
    instantText(world.clock.now()).slice(0, 10),
  );
  const after = withRotatedEntry(text, { index, validUntil, name: to, sshKey: next.publicKey, purposes: entry.for });
  if (after === undefined || entry.user !== undefined)
    return refused([
      problem(
        `the trust entry ${entry.name} is written in a way that cannot be changed by a program`,
        'Write each entry of spec.trust on lines of its own, without a login for engines.',
      ),
    ]);
  const facts = { from: entry.name, to, publicKey: next.publicKey, validUntil, branch, patch: textPatch(PROJECT, text, after) };
  return accepted({ after, facts: { ...facts, commit: undefined, change: undefined, isDone: false } });
}

/** An end that stands there already is only ever brought forward. */
function earlier(declared: string | undefined, wanted: string, until: Instant): string {
  return declared !== undefined && (parseInstant(declared) ?? until) < until ? declared : wanted;
}

/** `engine-2026-11-22`, or a number behind it. */
function freshName(old: string, taken: readonly string[], day: string): string {
  const base = `${old.replace(/-\d{4}-\d{2}-\d{2}(-\d+)?$/, '')}-${day}`;
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!taken.includes(name)) return name;
  }
}

/** The new key signs the commit without its own line, the old one all of it. */
async function writeRotation(
  world: World,
  ground: Ground,
  made: { readonly next: Signer; readonly after: string; readonly facts: Rotated },
): Promise<CommitId> {
  const { signer, repository, clock, ids } = world;
  const { from, to, validUntil } = made.facts;
  const author: Person = { name: signer.name, email: signer.email, at: clock.now(), zone: '+0000' };
  const message = rotationCommitMessage({ from, to, validUntil, runId: ids.runId(), traceId: ids.traceId() });
  const base = (await repository.commit(ground.main)).tree;
  const changes = [{ kind: 'file' as const, path: PROJECT, content: Buffer.from(made.after, 'utf8') }];
  const tree = await repository.writeTree(base, changes);
  const bare = encodeCommit({ tree, parents: [ground.main], author, committer: author, message }, undefined);
  const second = await made.next.sign(bare, ROTATION_NAMESPACE);
  const draft = { base, changes, parents: [ground.main], author, message: withSecondSignature(message, second) };
  return repository.writeCommit(draft, async (payload) => signer.sign(payload));
}

async function propose(world: World, ground: Ground, facts: Rotated): Promise<ChangeRequest | undefined> {
  const body = [
    `The engine's key **${facts.from}** gives way to **${facts.to}**. Both keys signed the commit; merge it as it is.`,
    `Until ${facts.validUntil} both count. Before then, give the engine its new key (\`identity.signingKey\`) and restart it.`,
    `\`\`\`\n${facts.publicKey}\n\`\`\``,
  ].join('\n\n');
  const title = `trust: let ${facts.to} follow ${facts.from}`;
  return world.forge?.open({ head: ground.branch, base: world.settings.branch, title, body, labels: ['trust'] });
}

function problem(message: string, remedy: string): Problem {
  const place = message.startsWith('the default') ? NOWHERE : placeInFile(PROJECT);
  return { code: 'rotation-impossible', rule: undefined, severity: 'error', phase: 'sync', message, remedy, place, related: [] };
}
