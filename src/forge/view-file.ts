import type { World } from './call.ts';
import type { FileChange } from './pull-facts.ts';
import { api } from './view-account.ts';
import type { At } from './view-commit.ts';
import { repositoryPath } from './view-repository.ts';

/** One changed file, GitHub's `diff-entry`. */
export function fileView(world: World, at: At, commit: string, file: FileChange): Readonly<Record<string, unknown>> {
  const { change, patch } = file;
  const home = `${world.url()}/${at.owner.login}/${at.row.name}`;
  const path = change.path.split('/').map(encodeURIComponent).join('/');
  const status = change.before === undefined ? 'added' : change.after === undefined ? 'removed' : 'modified';
  return {
    sha: change.after?.id ?? change.before?.id ?? null,
    filename: change.path,
    status,
    additions: patch.additions,
    deletions: patch.deletions,
    changes: patch.additions + patch.deletions,
    blob_url: `${home}/blob/${commit}/${path}`,
    raw_url: `${home}/raw/${commit}/${path}`,
    contents_url: api(world, `${repositoryPath(at.owner, at.row)}/contents/${path}?ref=${commit}`),
    ...(patch.text === undefined || patch.text === '' ? {} : { patch: patch.text }),
  };
}
