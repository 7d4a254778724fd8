import { stdin } from 'node:process';
import { buffer } from 'node:stream/consumers';

import { formatDeclaration } from '#model/declaration-format.ts';
import { API_VERSION, DECLARATION_SCHEMAS } from '#model/declaration-schemas.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { parseYamlText } from '#model/yaml-text.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { filesUnder, readRegular, replaceFile } from './fmt-files.ts';
import { countOf, outputFormat, printDocument, printProblems, problemDocument } from './output.ts';
import type { Terminal } from './powers.ts';

/** What became of one file. `passed`: it is no declaration, or not ours to write. */
type Formatted =
  | { readonly kind: 'same' }
  | { readonly kind: 'changed'; readonly text: string }
  | { readonly kind: 'passed'; readonly why: string }
  | { readonly kind: 'broken'; readonly problems: readonly Problem[] };

export async function fmt({ words, options, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const check = options.check === true;
  if (options.stdin === true) {
    if (words.length > 0) throw new UsageError('--stdin reads one declaration from standard input; it takes no paths');
    return formatInput(check, terminal);
  }
  const changed: string[] = [];
  const passed: { readonly file: string; readonly why: string }[] = [];
  const problems: Problem[] = [];
  let unchanged = 0;
  for (const { at, shown, isNamed } of await filesUnder(words, terminal)) {
    const bytes = await readRegular(at);
    const result = readAs(shown, bytes);
    if (result.kind === 'same') unchanged += 1;
    if (result.kind === 'broken') problems.push(...result.problems);
    if (result.kind === 'passed' && isNamed) passed.push({ file: shown, why: result.why });
    if (result.kind !== 'changed') continue;
    if (!check) await replaceFile(at, result.text);
    changed.push(shown);
  }
  if (format === 'json')
    printDocument(terminal, 'FormatReport', { check, changed, unchanged, passed, problems: problems.map(problemDocument) });
  else {
    terminal.out(changed.map((path) => `${path}\n`).join(''));
    for (const { file, why } of passed) terminal.err(`${file}: ${why}\n`);
    printProblems(terminal, problems);
  }
  terminal.say(
    `${countOf(changed.length, 'file')} ${check ? 'would change' : 'changed'}, ${unchanged} as ${unchanged === 1 ? 'it' : 'they'} should be\n`,
  );
  return problems.length > 0 || (check && changed.length > 0) ? EXIT.failed : EXIT.ok;
}

function readAs(shown: string, bytes: Uint8Array | 'too-long' | undefined): Formatted {
  if (bytes === undefined) return { kind: 'passed', why: 'is no regular file' };
  return bytes === 'too-long' ? { kind: 'passed', why: 'is larger than a declaration may be' } : formatted(shown, bytes);
}

async function formatInput(check: boolean, terminal: Terminal): Promise<number> {
  const bytes = await buffer(stdin);
  const result = formatted('standard input', bytes);
  switch (result.kind) {
    case 'broken':
      printProblems(terminal, result.problems);
      return EXIT.failed;
    case 'passed':
      terminal.err(`standard input ${result.why}\n`);
      return EXIT.failed;
    case 'same':
    case 'changed':
      if (!check) terminal.out(result.kind === 'changed' ? result.text : bytes.toString('utf8'));
      return check && result.kind === 'changed' ? EXIT.failed : EXIT.ok;
  }
}

/** Layers and targets of an environment have no kind: their place says what they are. */
const BY_PLACE = /(?:^|\/)environments\/[^/]+\/(config|targets)\/[^/]+\.ya?ml$/;

function formatted(path: string, bytes: Uint8Array): Formatted {
  const [, place] = BY_PLACE.exec(path) ?? [];
  // Most other YAML of a capsule is Kubernetes': it is told by its first lines, and no business of ours.
  if (place === undefined && !Buffer.from(bytes.subarray(0, 1_048_576)).includes(API_VERSION))
    return { kind: 'passed', why: 'is no declaration of Capstan' };
  const read = parseYamlText(bytes, path);
  if (!read.ok) return { kind: 'broken', problems: read.problems };
  const { value } = read.value;
  const schema = place === undefined ? schemaFor(value) : place === 'targets' ? TARGET : undefined;
  if (place === undefined && schema === undefined) return { kind: 'passed', why: 'is no declaration of Capstan' };
  if (schema === DECLARATION_SCHEMAS.EnvironmentLock) return { kind: 'passed', why: 'is written by the engine' };
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const after = formatDeclaration(text, schema);
  return after === text ? { kind: 'same' } : { kind: 'changed', text: after };
}

const TARGET: JsonObject = { $ref: '#/$defs/target', $defs: DECLARATION_SCHEMAS.Environment['$defs'] ?? {} };

function schemaFor(value: Json): JsonObject | undefined {
  if (!isJsonObject(value) || value['apiVersion'] !== API_VERSION) return undefined;
  const kind = jsonText(value['kind']);
  return Object.entries(DECLARATION_SCHEMAS).find(([known]) => known === kind)?.[1];
}
