import type Handlebars from 'handlebars';

import type { JsonObject } from '#model/json.ts';
import { visibleText } from '#model/quoted.ts';
import { templateEngine } from './handlebars.ts';
import type { Scope } from './scope.ts';
import { report } from './scope.ts';
import { templateHelpers } from './template-helpers.ts';
import { BLOCKS, emitting, parseTemplate, partialsOf } from './template-syntax.ts';

export const TEMPLATE_LIMITS = { sourceBytes: 1024 * 1024, outputCharacters: 4 * 1024 * 1024, iterations: 100_000 } as const;

/** A file of the capsule as text; a problem at `pointer` when it is not there, too large or not UTF-8. */
export function fileText(scope: Scope, path: string, pointer: string, limit: number = TEMPLATE_LIMITS.sourceBytes): string | undefined {
  const bytes = scope.unit.capsule.files.get(path);
  const text = textOf(bytes, limit);
  if (text !== undefined) return text;
  const why = bytes === undefined ? 'does not exist' : bytes.byteLength > limit ? `is larger than ${limit} bytes` : 'is not UTF-8 text';
  report(scope, pointer, {
    ...(bytes === undefined ? { code: 'file-missing', rule: 'V-12' } : { code: 'file-not-text', rule: 'V-87' }),
    message: `${scope.unit.capsule.directory}/${path} ${why}`,
    remedy: 'Name a text file of this capsule, relative to its directory.',
  });
  return undefined;
}

export function textOf(bytes: Uint8Array | undefined, limit: number = TEMPLATE_LIMITS.sourceBytes): string | undefined {
  if (bytes === undefined || bytes.byteLength > limit) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The text that a template of the capsule gives for this unit; undefined with a problem when it fails. */
export function renderText(scope: Scope, path: string, pointer: string): string | undefined {
  const text = fileText(scope, path, pointer);
  if (text === undefined) return undefined;
  const file = `${scope.unit.capsule.directory}/${path}`;
  try {
    const output = compiledTemplate(scope.templates, path, text)(scope.variables);
    if (output.length <= TEMPLATE_LIMITS.outputCharacters) return output;
    failed(scope, file, `gives more than ${TEMPLATE_LIMITS.outputCharacters} characters`);
  } catch (error) {
    failed(scope, file, reasonOf(error));
  }
  return undefined;
}

/** The words of our helpers and of the template engine; what the runtime says of code that got what it cannot take is nobody's business. */
function reasonOf(error: unknown): string {
  const isOfRuntime = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  if (isOfRuntime || !(error instanceof Error)) return 'uses a block or a helper in a way that cannot be evaluated';
  return error.message.split('\n', 1)[0] ?? '';
}

function failed(scope: Scope, file: string, what: string): void {
  scope.problems.push({
    code: 'template-failed',
    rule: 'V-87',
    severity: 'error',
    phase: 'render',
    message: `template ${file} of ${scope.unit.pin.instance}: ${visibleText(what, 300)}`,
    remedy: 'Give the value in the configuration, guard it with {{#if}}, or correct the template.',
    place: { file, line: undefined, column: undefined, pointer: undefined },
    related: [],
  });
}

/** Compiled templates of one capsule content, filled as they are needed. */
export interface TemplateSet {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly compiled: Map<string, (variables: JsonObject) => string>;
}

function compiledTemplate(set: TemplateSet, path: string, text: string): (variables: JsonObject) => string {
  const known = set.compiled.get(path);
  if (known !== undefined) return known;
  const compiled = compileTemplate(set, text);
  set.compiled.set(path, compiled);
  return compiled;
}

/**
 * Every `{{x}}` is rewritten to the JSON text of its value before it is compiled: there is no unescaped form left, and a value that is
 * not set is an error wherever it is emitted, arguments of helpers included (which the engine's `strict` does not cover).
 */
function compileTemplate(set: TemplateSet, text: string): (variables: JsonObject) => string {
  const engine = templateEngine().create();
  for (const name of Object.keys(engine.helpers)) if (!BLOCKS.has(name)) engine.unregisterHelper(name);
  const state = { iterations: 0 };
  const helpers = templateHelpers(engine, {
    state,
    limits: TEMPLATE_LIMITS,
    file: (path) => textOf(set.files.get(path)) ?? fail(`file ${JSON.stringify(path.slice(0, 120))} is not a text file of the capsule`),
  });
  const names = [...Object.keys(helpers), ...BLOCKS].map((name): [string, boolean] => [name, true]);
  const options = { knownHelpersOnly: true, knownHelpers: { ...Object.fromEntries(names), log: false, lookup: false }, noEscape: true };
  const compile = (source: string): Handlebars.TemplateDelegate<JsonObject> => engine.compile(emitting(programOf(source)), options);
  const partials: Record<string, Handlebars.TemplateDelegate<JsonObject>> = {};
  collectPartials(set, text, (name, source) => {
    partials[name] = compile(source);
  });
  const main = compile(text);
  return (variables) => {
    state.iterations = 0;
    return main(variables, { helpers, partials, allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false });
  };
}

function collectPartials(set: TemplateSet, text: string, found: (name: string, source: string) => void): void {
  const done = new Set<string>();
  const visit = (source: string, above: readonly string[]): void => {
    for (const name of partialsOf(programOf(source))) {
      if (above.includes(name)) fail(`partial ${name} includes itself`);
      const inner = partialText(set.files, name) ?? fail(`partial ${name} does not exist; partials are templates/_*.hbs`);
      if (done.has(name)) continue;
      visit(inner, [...above, name]);
      done.add(name);
      found(name, inner);
    }
  };
  visit(text, []);
}

export function partialText(files: ReadonlyMap<string, Uint8Array>, name: string): string | undefined {
  const path = [`templates/_${name}.hbs`, `templates/_${name}.yaml.hbs`, ...(name.startsWith('_') ? [`templates/${name}.hbs`] : [])];
  return textOf(path.map((one) => files.get(one)).find((bytes) => bytes !== undefined));
}

function programOf(source: string): hbs.AST.Program {
  const parsed = parseTemplate(source);
  return parsed.ok ? parsed.program : fail(`line ${parsed.issue.line ?? '?'}: ${parsed.issue.message}`);
}

function fail(message: string): never {
  throw new Error(message);
}
