import { readFile, readdir } from 'node:fs/promises';

/** The schemas that stand beside the program: declarations in `schemas/`, outputs in `schemas/output/`. */
const SCHEMAS = new URL(import.meta.resolve('#schemas/capsule.schema.json'));

export interface SchemaFile {
  /** `Capsule`, `ValidationReport`. */
  readonly kind: string;
  /** `capsule.schema.json`, `output/validation-report.schema.json`. */
  readonly path: string;
  readonly isOutput: boolean;
}

/** All of them, declarations first, each by path. */
export async function schemaFiles(): Promise<readonly SchemaFile[]> {
  const found: SchemaFile[] = [];
  for (const folder of ['', 'output/']) {
    const names = await readdir(new URL(`./${folder}`, SCHEMAS)).catch(() => []);
    for (const name of names.filter((item) => item.endsWith('.schema.json')).sort())
      found.push({ kind: kindOf(name), path: `${folder}${name}`, isOutput: folder !== '' });
  }
  return found;
}

export async function schemaText(file: SchemaFile): Promise<string> {
  return readFile(new URL(`./${file.path}`, SCHEMAS), 'utf8');
}

function kindOf(file: string): string {
  return file
    .replace('.schema.json', '')
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}

/** Which files of a repository each schema is for, as globs. */
const PLACES: readonly (readonly [string, readonly string[]])[] = [
  ['project', ['environments/project.yaml']],
  ['environment', ['environments/*/environment.yaml']],
  ['environment-lock', ['environments/*/environment.lock.yaml']],
  ['fleet', ['environments/*/fleets/*.yaml']],
  ['device', ['environments/*/devices/*.yaml']],
  ['capsule', ['capsules/*/capsule.yaml']],
  ['policy', ['policies/*.yaml']],
  ['configuration', ['capstan.yaml']],
];

/** `.vscode/settings.json` for the extension `redhat.vscode-yaml`: schemas by place, for files without a modeline. */
export function editorSettings(): string {
  const schemas = Object.fromEntries(PLACES.map(([name, globs]) => [`./schemas/${name}.schema.json`, globs]));
  return `${JSON.stringify({ 'yaml.schemas': schemas }, undefined, 2)}\n`;
}
