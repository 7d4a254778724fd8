import { readdir, readFile } from 'node:fs/promises';

/** How long an API version of a kind lives, as a line of the generated file has it. */
interface Life {
  readonly line: string;
}

/** The constants of a Go package that have a named type: type -> values. */
function constantsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [, type = '', value = ''] of text.matchAll(/^\s*(?:const\s+)?[A-Z]\w*\s+([A-Z]\w*)\s+=\s+"([^"]*)"/gm)) {
    const values = found.get(type) ?? found.set(type, []).get(type);
    values?.push(value);
  }
  return found;
}

/** Definition (`core.v1.Container`) -> field -> values that it may have, of types that are marked as enumerations. */
export async function enumerationsOf(folder: string): Promise<ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>> {
  const found = new Map<string, Map<string, readonly string[]>>();
  for (const { name, path } of await packagesOf(folder)) {
    const files = (await readdir(path)).filter((file) => file.endsWith('.go') && !/^(zz_|generated|types_swagger)|_test\.go$/.test(file));
    const text = (await Promise.all(files.sort().map((file) => readFile(`${path}/${file}`, 'utf8')))).join('\n');
    const values = constantsOf(text);
    const enumerations = new Set(
      [...text.matchAll(/((?:^\/\/.*\n)+)type (\w+) string$/gm)].flatMap(([, doc = '', type = '']) =>
        /^\/\/\s*\+enum\s*$/m.test(doc) ? [type] : [],
      ),
    );
    for (const [, struct = '', body = ''] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
      for (const [, type = '', field = ''] of body.matchAll(/^\s*\w+\s+(?:\[\]|\*)?(\w+)\s+`.*json:"([^",]+)[^`]*`/gm)) {
        const allowed = enumerations.has(type) ? values.get(type) : undefined;
        if (allowed === undefined) continue;
        const fields = found.get(`${name}.${struct}`) ?? new Map<string, readonly string[]>();
        found.set(`${name}.${struct}`, fields.set(field, [...new Set(allowed)].sort()));
      }
    }
  }
  return found;
}

/** What `prerelease-lifecycle-gen` wrote beside the types of every API version. */
export async function lifeOf(folder: string): Promise<readonly Life[]> {
  const found: Life[] = [];
  for (const { path, apiVersion } of await packagesOf(folder)) {
    const text = await readFile(`${path}/zz_generated.prerelease-lifecycle.go`, 'utf8').catch(() => '');
    const facts = new Map<string, Map<string, string>>();
    for (const [, kind = '', what = '', body = ''] of text.matchAll(/^func \(in \*(\w+)\) APILifecycle(\w+)\(\)[^{]*\{\n([\s\S]*?)^\}/gm)) {
      if (/(List|Options)$/.test(kind)) continue;
      const known = facts.get(kind) ?? new Map<string, string>();
      facts.set(kind, known.set(what, factOf(body)));
    }
    for (const [kind, known] of facts) {
      if (!known.has('Deprecated')) continue;
      // One of them names the list of its kind instead.
      const times = ['Introduced', 'Deprecated', 'Removed', 'Replacement'].map((what) => (known.get(what) ?? '-').replace(/List$/, ''));
      found.push({ line: `${await groupOf(path, apiVersion)} ${kind} ${times.join(' ')}` });
    }
  }
  return found;
}

function factOf(body: string): string {
  const time = /return (\d+), (\d+)/.exec(body);
  if (time !== null) return `${time[1] ?? ''}.${time[2] ?? ''}`;
  const [, group = '', version = '', kind = ''] = /Group: "([^"]*)", Version: "([^"]*)", Kind: "([^"]*)"/.exec(body) ?? [];
  return kind === '' ? '-' : `${group === '' ? '' : `${group}/`}${version} ${kind}`;
}

/** The group is what the package registers, which its folder only resembles. */
async function groupOf(path: string, version: string): Promise<string> {
  const group = /GroupName = "([^"]*)"/.exec(await readFile(`${path}/register.go`, 'utf8'))?.[1];
  if (group === undefined) throw new Error(`${path} registers no group`);
  return group === '' ? version : `${group}/${version}`;
}

async function packagesOf(
  folder: string,
): Promise<readonly { readonly name: string; readonly path: string; readonly apiVersion: string }[]> {
  const found: { name: string; path: string; apiVersion: string }[] = [];
  for (const group of (await readdir(folder, { withFileTypes: true })).filter((one) => one.isDirectory())) {
    for (const version of await readdir(`${folder}/${group.name}`)) {
      if (!/^v\d+((alpha|beta)\d+)?$/.test(version)) continue;
      found.push({ name: `${group.name}.${version}`, path: `${folder}/${group.name}/${version}`, apiVersion: version });
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
