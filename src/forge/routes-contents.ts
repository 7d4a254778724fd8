import type { CommitId } from '#model/digest.ts';
import type { Commit, Person, TreeEntry } from '#model/git-objects.ts';
import { parseInstant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import type { Repository } from '#ports/repository.ts';
import { actor, appMust, openRepository } from './access.ts';
import type { Answer } from './answer.ts';
import { invalid, notFound, ok, refuse } from './answer.ts';
import type { Body } from './body.ts';
import { nested, optionalText, text } from './body.ts';
import type { Call, Opened, Route } from './call.ts';
import { param } from './call.ts';
import { makeCommit, moveRef, person } from './commit-writer.ts';
import { entryAt } from './history.ts';
import { pushRefusals } from './protection-rules.ts';
import { syncRefs } from './ref-sync.ts';
import { branchTip } from './routes-references.ts';
import { api } from './view-account.ts';
import { gitCommitView } from './view-commit.ts';
import { repositoryPath } from './view-repository.ts';

const BASE = '/repos/{owner}/{repo}/contents';

export const CONTENT_ROUTES: readonly Route[] = [
  { method: 'GET', path: BASE, resource: 'Contents', handle: (call) => getContents(call, '') },
  { method: 'GET', path: `${BASE}/{path+}`, resource: 'Contents', handle: (call) => getContents(call, param(call, 'path')) },
  { method: 'PUT', path: `${BASE}/{path+}`, resource: 'Contents', handle: putContents },
  { method: 'DELETE', path: `${BASE}/{path+}`, resource: 'Contents', handle: deleteContents },
];

/** GitHub shows the content of files up to this size. */
const LARGEST_SHOWN = 1024 * 1024;
const LARGEST_RAW = 100 * 1024 * 1024;

async function commitOfRef(call: Call, opened: Opened): Promise<{ readonly name: string; readonly commit: Commit }> {
  const name = call.query.get('ref') ?? opened.row.defaultBranch;
  const commit = await opened.git.resolve(name.replace(/^refs\/(?:heads|tags)\//, ''));
  if (commit === undefined) {
    if (call.query.has('ref')) throw refuse(404, `No commit found for the ref ${name}`);
    throw refuse(404, 'This repository is empty.');
  }
  return { name, commit: await opened.git.commit(commit) };
}

async function getContents(call: Call, given: string): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const path = given.replace(/\/+$/, '');
  const { name, commit } = await commitOfRef(call, opened);
  const entry = path === '' ? undefined : await entryAt(opened.git, commit.tree, path);
  if (path !== '' && entry === undefined) throw notFound();
  if (entry === undefined || entry.kind === 'tree') {
    const entries = await opened.git.tree(entry === undefined ? commit.tree : entry.id);
    const prefix = path === '' ? '' : `${path}/`;
    const sizes = await sizesOf(opened.git, entries);
    return ok(
      entries.map((item, at) => entryView(call, opened, { path: prefix + item.name, entry: item, ref: name, size: sizes[at] ?? 0 })),
    );
  }
  return fileAnswer(call, opened, { path, entry, ref: name });
}

async function sizesOf(git: Repository, entries: readonly TreeEntry[]): Promise<readonly number[]> {
  return Promise.all(entries.map(async (entry) => (entry.kind === 'blob' ? (await git.blob(entry.id)).length : 0)));
}

interface Shown {
  readonly path: string;
  readonly entry: TreeEntry;
  readonly ref: string;
  readonly size: number;
}

function typeOf(entry: TreeEntry): string {
  switch (entry.kind) {
    case 'tree':
      return 'dir';
    case 'submodule':
      return 'submodule';
    case 'blob':
      return entry.mode === '120000' ? 'symlink' : 'file';
  }
}

function entryView(call: Call, opened: Opened, shown: Shown) {
  const { entry, ref } = shown;
  const home = `${call.world.url()}/${opened.owner.login}/${opened.row.name}`;
  const repository = repositoryPath(opened.owner, opened.row);
  const path = shown.path.split('/').map(encodeURIComponent).join('/');
  const url = api(call.world, `${repository}/contents/${path}?ref=${encodeURIComponent(ref)}`);
  const gitUrl = entry.kind === 'submodule' ? null : api(call.world, `${repository}/git/${entry.kind}s/${entry.id}`);
  const html = `${home}/${entry.kind === 'tree' ? 'tree' : 'blob'}/${ref}/${path}`;
  return {
    name: entry.name,
    path: shown.path,
    sha: entry.id,
    size: shown.size,
    url,
    html_url: html,
    git_url: gitUrl,
    download_url: entry.kind === 'blob' ? `${home}/raw/${ref}/${path}` : null,
    type: typeOf(entry),
    _links: { self: url, git: gitUrl, html },
  };
}

async function fileAnswer(call: Call, opened: Opened, shown: Omit<Shown, 'size'>): Promise<Answer> {
  const { entry } = shown;
  if (entry.kind !== 'blob') return ok(entryView(call, opened, { ...shown, size: 0 }));
  const bytes = await opened.git.blob(entry.id);
  if (bytes.length > LARGEST_RAW) throw refuse(403, 'This API returns blobs up to 100 MB in size.');
  if (call.accept.includes('raw')) {
    return ok(Buffer.from(bytes).toString('utf8'), { 'content-type': 'application/vnd.github.raw; charset=utf-8' });
  }
  const view = entryView(call, opened, { ...shown, size: bytes.length });
  if (entry.mode === '120000') return ok({ ...view, target: Buffer.from(bytes).toString('utf8') });
  if (bytes.length > LARGEST_SHOWN) return ok({ ...view, content: '', encoding: 'none' });
  return ok({ ...view, content: wrapped(bytes), encoding: 'base64' });
}

/** Base64 in lines of 60 characters, as GitHub writes it. */
export function wrapped(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('base64')
    .replaceAll(/.{1,60}/g, '$&\n');
}

export function decoded(body: Body, field: string): Buffer {
  const given = optionalText(body, field);
  if (given === undefined) throw invalid(body.resource, field, 'missing_field');
  const clean = given.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(clean)) throw refuse(422, `${field} is not valid Base64`);
  return Buffer.from(clean, 'base64');
}

/** `{ name, email, date }` of a request; absent fields are the given person's. */
export function personOf(body: Body | undefined, otherwise: Person): Person {
  if (body === undefined) return otherwise;
  const date = optionalText(body, 'date');
  const at = date === undefined ? otherwise.at : parseInstant(date);
  if (at === undefined) throw invalid(body.resource, 'date', 'invalid');
  const [name, email] = [optionalText(body, 'name') ?? otherwise.name, optionalText(body, 'email') ?? otherwise.email];
  if (/[<>\n\0]/.test(name + email)) throw invalid(body.resource, 'name', 'invalid');
  return { name, email, at, zone: otherwise.zone };
}

interface Edit {
  readonly opened: Opened;
  readonly path: string;
  readonly branch: string;
  readonly base: Commit | undefined;
  readonly entry: TreeEntry | undefined;
}

async function editOf(call: Call): Promise<Edit> {
  const opened = await openRepository(call, 'write');
  appMust(call, 'contents');
  const path = param(call, 'path').replace(/\/+$/, '');
  const unsafe = path.split('/').some((name) => name === '' || name === '.' || name === '..' || name.toLowerCase() === '.git');
  if (unsafe) throw refuse(422, 'path contains a malformed path component');
  const branch = (optionalText(call.body, 'branch') ?? opened.row.defaultBranch).replace(/^refs\/heads\//, '');
  const tip = await branchTip(opened.git, branch);
  if (tip === undefined && branch !== opened.row.defaultBranch) throw refuse(404, `Branch ${branch} not found`);
  const base = tip === undefined ? undefined : await opened.git.commit(tip);
  const entry = base === undefined ? undefined : await entryAt(opened.git, base.tree, path);
  return { opened, path, branch, base, entry };
}

async function putContents(call: Call): Promise<Answer> {
  const edit = await editOf(call);
  const content = decoded(call.body, 'content');
  const sha = optionalText(call.body, 'sha');
  if (edit.entry !== undefined && sha === undefined) throw refuse(422, 'Invalid request.\n\n"sha" wasn\'t supplied.');
  if (sha !== undefined && edit.entry?.id !== sha) throw refuse(409, `${edit.path} does not match ${sha}`);
  const commit = await commitEdit(call, edit, content);
  const entry = await entryAt(edit.opened.git, commit.tree, edit.path);
  if (entry === undefined) throw new Error('the file just written is not there');
  const view = entryView(call, edit.opened, { path: edit.path, entry, ref: edit.branch, size: content.length });
  const body = { content: view, commit: gitCommitView(call.world, edit.opened, commit) };
  return { status: edit.entry === undefined ? 201 : 200, body };
}

async function deleteContents(call: Call): Promise<Answer> {
  const edit = await editOf(call);
  if (edit.entry === undefined) throw notFound();
  const sha = text(call.body, 'sha');
  if (edit.entry.id !== sha) throw refuse(409, `${edit.path} does not match ${sha}`);
  const commit = await commitEdit(call, edit, undefined);
  return ok({ content: null, commit: gitCommitView(call.world, edit.opened, commit) });
}

async function commitEdit(call: Call, edit: Edit, content: Buffer | undefined): Promise<Commit> {
  const { world, body } = call;
  const { opened, path, branch, base } = edit;
  const account = actor(call);
  const message = text(body, 'message');
  const author = personOf(nested(body, 'author') ?? nested(body, 'committer'), person(world, account));
  const commit = await makeCommit(world, opened.git, {
    base: base?.tree,
    changes: [content === undefined ? { kind: 'delete', path } : { kind: 'file', path, content }],
    parents: base === undefined ? [] : [base.id],
    author,
    message: message.endsWith('\n') ? message : `${message}\n`,
  });
  const refused = pushRefusals(world, opened, account, { branch, after: commit });
  if (refused.length > 0) throw refuse(409, `Repository rule violations found\n\n${refused.join('\n')}`);
  await publish(call, opened, { branch, expected: base?.id, next: commit });
  return opened.git.commit(commit);
}

async function publish(
  call: Call,
  opened: Opened,
  update: { readonly branch: string; readonly expected: CommitId | undefined; readonly next: CommitId },
): Promise<void> {
  await call.world.repositories.exclusive(opened.row.id, async () => {
    const done = await moveRef(opened.git, { ref: branchRef(update.branch), expected: update.expected, next: update.next });
    if (!done)
      throw refuse(409, `is at ${(await branchTip(opened.git, update.branch)) ?? 'nothing'} but expected ${update.expected ?? 'nothing'}`);
    await syncRefs(call.world, opened, actor(call));
  });
}
