import type { BlobId, TreeId } from '#model/digest.ts';
import { isObjectId, toBlobId, toCommitId, toTreeId } from '#model/digest.ts';
import type { TreeChange, TreeEntry } from '#model/git-objects.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Repository } from '#ports/repository.ts';
import { actor, appMust, openRepository } from './access.ts';
import type { Answer } from './answer.ts';
import { created, invalid, notFound, ok, refuse } from './answer.ts';
import type { Body } from './body.ts';
import { bodies, has, nested, optionalText, text, texts } from './body.ts';
import type { Call, Opened, Route } from './call.ts';
import { param } from './call.ts';
import { makeCommit, person } from './commit-writer.ts';
import { decoded, personOf, wrapped } from './routes-contents.ts';
import { api, nodeId } from './view-account.ts';
import { gitCommitView } from './view-commit.ts';
import { repositoryPath } from './view-repository.ts';

const BASE = '/repos/{owner}/{repo}/git';

export const GIT_DATABASE_ROUTES: readonly Route[] = [
  { method: 'POST', path: `${BASE}/blobs`, resource: 'Blob', handle: createBlob },
  { method: 'GET', path: `${BASE}/blobs/{file_sha}`, resource: 'Blob', handle: getBlob },
  { method: 'POST', path: `${BASE}/trees`, resource: 'Tree', handle: createTree },
  { method: 'GET', path: `${BASE}/trees/{tree_sha}`, resource: 'Tree', handle: getTree },
  { method: 'POST', path: `${BASE}/commits`, resource: 'Commit', handle: createCommit },
  { method: 'GET', path: `${BASE}/commits/{commit_sha}`, resource: 'Commit', handle: getCommit },
];

const MOST_ENTRIES = 100_000;

/** Objects that are not there, or are of another type, do not exist for the caller. */
async function found<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (isPortError(error) && (error.kind === 'missing' || error.kind === 'invalid')) throw notFound();
    throw error;
  }
}

function objectId(call: Call, name: string): string {
  const sha = param(call, name);
  if (!isObjectId(sha)) throw refuse(422, 'The sha parameter must be exactly 40 characters and contain only [0-9a-f].');
  return sha;
}

function gitUrl(call: Call, opened: Opened, kind: string, sha: string): string {
  return api(call.world, `${repositoryPath(opened.owner, opened.row)}/git/${kind}/${sha}`);
}

async function createBlob(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'write');
  appMust(call, 'contents');
  const encoding = optionalText(call.body, 'encoding') ?? 'utf-8';
  if (!has(call.body, 'content')) throw invalid('Blob', 'content', 'missing_field');
  const content = encoding === 'base64' ? decoded(call.body, 'content') : Buffer.from(optionalText(call.body, 'content') ?? '');
  const sha = await writeBlob(opened.git, content);
  return created({ url: gitUrl(call, opened, 'blobs', sha), sha });
}

/** The port writes trees; a tree of one file brings its blob along. */
async function writeBlob(git: Repository, content: Uint8Array): Promise<BlobId> {
  const tree = await git.writeTree(undefined, [{ kind: 'file', path: 'blob', content }]);
  const [entry] = await git.tree(tree);
  if (entry?.kind !== 'blob') throw new Error('the blob just written is not there');
  return entry.id;
}

async function getBlob(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const sha = objectId(call, 'file_sha');
  const bytes = await found(opened.git.blob(toBlobId(sha)));
  return ok({
    sha,
    node_id: nodeId('Blob', sha),
    size: bytes.length,
    url: gitUrl(call, opened, 'blobs', sha),
    content: wrapped(bytes),
    encoding: 'base64',
  });
}

async function createTree(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'write');
  appMust(call, 'contents');
  const base = optionalText(call.body, 'base_tree');
  const entries = bodies(call.body, 'tree');
  if (entries === undefined || entries.length === 0) throw refuse(422, 'Invalid tree info');
  const start = base === undefined ? undefined : await treeOf(opened.git, base);
  const changes: TreeChange[] = [];
  for (const entry of entries) changes.push(await changeOf(opened.git, entry));
  const sha = await opened.git.writeTree(start, changes);
  return created(await treeView(call, opened, sha, false));
}

async function changeOf(git: Repository, entry: Body): Promise<TreeChange> {
  const path = text(entry, 'path');
  if (path.split('/').some((name) => name === '' || name === '.' || name === '..' || name.toLowerCase() === '.git')) {
    throw refuse(422, 'tree.path contains a malformed path component');
  }
  if (entry.fields.get('sha') === null) return { kind: 'delete', path };
  const mode = text(entry, 'mode').replace(/^040000$/, '40000');
  const sha = optionalText(entry, 'sha');
  if (mode === '40000' && sha !== undefined && isObjectId(sha)) return { kind: 'tree', path, id: toTreeId(sha) };
  if (mode !== '100644' && mode !== '100755' && mode !== '120000')
    throw refuse(422, 'tree.mode must be one of 100644, 100755, 040000, 120000');
  const content = optionalText(entry, 'content');
  if (sha === undefined && content === undefined) throw refuse(422, 'Must supply either tree.sha or tree.content');
  if (sha !== undefined && !isObjectId(sha)) throw refuse(422, 'tree.sha is not a valid object id');
  const id = sha === undefined ? await writeBlob(git, Buffer.from(content ?? '')) : toBlobId(sha);
  if (sha !== undefined) await git.blob(id).catch(() => Promise.reject(refuse(422, `tree.sha ${sha} is not a valid blob`)));
  return { kind: 'blob', path, mode, id };
}

async function treeOf(git: Repository, sha: string): Promise<TreeId> {
  if (!isObjectId(sha)) throw refuse(422, 'base_tree is not a valid tree oid');
  try {
    await git.tree(toTreeId(sha));
    return toTreeId(sha);
  } catch {
    const commit = await git.commit(toCommitId(sha)).catch(() => undefined);
    if (commit === undefined) throw refuse(422, 'base_tree is not a valid tree oid');
    return commit.tree;
  }
}

async function getTree(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const name = param(call, 'tree_sha');
  const commit = await opened.git.resolve(name).catch(() => undefined);
  const id = commit === undefined ? toTreeId(objectId(call, 'tree_sha')) : (await opened.git.commit(commit)).tree;
  return ok(await found(treeView(call, opened, id, call.query.has('recursive'))));
}

async function treeView(call: Call, opened: Opened, sha: TreeId, recursive: boolean) {
  const rows: { readonly path: string; readonly entry: TreeEntry }[] = [];

  async function walk(id: TreeId, prefix: string): Promise<void> {
    for (const entry of await opened.git.tree(id)) {
      if (rows.length >= MOST_ENTRIES) return;
      rows.push({ path: prefix + entry.name, entry });
      if (recursive && entry.kind === 'tree') await walk(entry.id, `${prefix}${entry.name}/`);
    }
  }

  await walk(sha, '');
  const tree: unknown[] = [];
  for (const { path, entry } of rows) {
    const mode = entry.mode.padStart(6, '0');
    if (entry.kind === 'submodule') tree.push({ path, mode, type: 'commit', sha: entry.id });
    else if (entry.kind === 'tree') tree.push({ path, mode, type: 'tree', sha: entry.id, url: gitUrl(call, opened, 'trees', entry.id) });
    else
      tree.push({
        path,
        mode,
        type: 'blob',
        sha: entry.id,
        size: (await opened.git.blob(entry.id)).length,
        url: gitUrl(call, opened, 'blobs', entry.id),
      });
  }
  return { sha, url: gitUrl(call, opened, 'trees', sha), tree, truncated: rows.length >= MOST_ENTRIES };
}

async function createCommit(call: Call): Promise<Answer> {
  const { world, body } = call;
  const opened = await openRepository(call, 'write');
  appMust(call, 'contents');
  const message = text(body, 'message');
  const tree = text(body, 'tree');
  if (!isObjectId(tree) || (await opened.git.tree(toTreeId(tree)).catch(() => undefined)) === undefined)
    throw refuse(422, 'Tree SHA does not exist');
  const parents = texts(body, 'parents') ?? [];
  for (const parent of parents) {
    if (!isObjectId(parent) || (await opened.git.resolve(parent)) === undefined)
      throw refuse(422, 'Parent SHA does not exist or is not a commit object');
  }
  const author = personOf(nested(body, 'author'), person(world, actor(call)));
  const committer = nested(body, 'committer');
  const signature = optionalText(body, 'signature');
  const draft = { base: toTreeId(tree), changes: [], parents: parents.map(toCommitId), author, message };
  const id =
    signature === undefined
      ? await makeCommit(world, opened.git, { ...draft, committer: personOf(committer, author) })
      : await opened.git.writeCommit({ ...draft, committer: personOf(committer, author) }, () => Promise.resolve(signature));
  return created(gitCommitView(world, opened, await opened.git.commit(id)));
}

async function getCommit(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  return ok(gitCommitView(call.world, opened, await found(opened.git.commit(toCommitId(objectId(call, 'commit_sha'))))));
}
