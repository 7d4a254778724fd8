import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { pointerToken } from '#model/json.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { entriesOf, report } from './scope.ts';
import { fileText, renderText } from './template.ts';

interface FileMounts {
  readonly volumes: readonly { readonly name: string; readonly items: readonly JsonObject[] | undefined }[];
  readonly mounts: readonly { readonly volume: string; readonly mountPath: string; readonly subPath: string | undefined }[];
}

/**
 * Files of one directory are mounted as that directory, so that a changed value arrives without a restart; files right below a
 * top-level directory (`/etc/x.conf`) are mounted alone, because their directory holds more than ours.
 */
export function filesOf(scope: Scope, part: Part): FileMounts {
  const volumes: { name: string; items: readonly JsonObject[] | undefined }[] = [];
  const mounts: { volume: string; mountPath: string; subPath: string | undefined }[] = [];
  const directories = new Map<string, string[]>();
  for (const [path] of entriesOf(part.component.files)) {
    const cut = path.lastIndexOf('/');
    const directory = path.slice(0, cut);
    if (!isSafePath(path)) {
      report(scope, `${part.pointer}/files${pointerToken(path)}`, {
        code: 'path-invalid',
        rule: 'V-87',
        message: `${JSON.stringify(path.slice(0, 120))} is not an absolute path of a file`,
        remedy: 'Write the absolute path of the file inside the container, without `.` or `..`.',
      });
    } else directories.set(directory, [...(directories.get(directory) ?? []), path]);
  }
  for (const [directory, paths] of directories) {
    const name = `files-${sha256Of(directory).slice(0, 8)}`;
    volumes.push({ name, items: paths.map((path) => ({ key: keyOf(path), path: path.slice(directory.length + 1) })) });
    if (directory.indexOf('/', 1) > 0) mounts.push({ volume: name, mountPath: directory, subPath: undefined });
    else for (const path of paths) mounts.push({ volume: name, mountPath: path, subPath: path.slice(directory.length + 1) });
  }
  return { volumes, mounts };
}

function isSafePath(path: string): boolean {
  const parts = path.split('/');
  return path.startsWith('/') && parts.slice(1).every((part) => part !== '' && part !== '.' && part !== '..') && path.length < 250;
}

/** `/etc/greeter/app.json` -> `etc-greeter-app.json`; other bytes become `_`, told apart by a digest. */
function keyOf(path: string): string {
  const key = path.slice(1).replaceAll('/', '-');
  return /^[A-Za-z0-9._-]+$/.test(key) && !path.includes('-')
    ? key
    : `${key.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 200)}-${sha256Of(path).slice(0, 8)}`;
}

/** The name changes with the capsule's own files (pods restart), not with the values put into them. */
export function configMapName(scope: Scope, part: Part): string {
  const sources = entriesOf(part.component.files).map(([path, entry]) => {
    const source = entry.template ?? entry.file ?? '';
    const bytes = scope.unit.capsule.files.get(source);
    return `${path}\0${source}\0${bytes === undefined ? '' : sha256Of(bytes)}`;
  });
  return `${part.name}-files-${sha256Of(sources.join('\n')).slice(0, 8)}`;
}

/** The ConfigMap of a component's `files`; undefined when it has none. */
export function filesObject(scope: Scope, part: Part, metadata: (name: string) => JsonObject): JsonObject | undefined {
  const entries = entriesOf(part.component.files);
  if (entries.length === 0) return undefined;
  const data: Record<string, string> = {};
  for (const [path, entry] of entries) {
    const pointer = `${part.pointer}/files${pointerToken(path)}`;
    const text =
      entry.template === undefined
        ? fileText(scope, entry.file ?? '', `${pointer}/file`)
        : renderText(scope, entry.template, `${pointer}/template`);
    if (text !== undefined) data[keyOf(path)] = text;
  }
  return { apiVersion: 'v1', data, kind: 'ConfigMap', metadata: metadata(configMapName(scope, part)) };
}
