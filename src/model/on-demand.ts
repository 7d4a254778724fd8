import { createRequire } from 'node:module';

import type * as Cel from '@bufbuild/cel';
import type * as CelExtension from '@bufbuild/cel/ext';
import type * as Formats from 'ajv-formats';
import type * as Ajv from 'ajv/dist/2020.js';
import type * as Yaml from 'yaml';

const load = createRequire(import.meta.url);
const kept: { cel?: typeof Cel; extension?: typeof CelExtension; yaml?: typeof Yaml } = {};

/**
 * Packages that many runs do without, loaded by the first call that needs them. A module has one answer for a process, so who calls this
 * stays pure; what is saved is the time to load it (docs/decisions/0170).
 */
export function ajvPackage(): typeof Ajv {
  return load('ajv/dist/2020.js') as typeof Ajv;
}

export function addAjvFormats(ajv: Ajv.Ajv2020): void {
  // As CommonJS it is its own default.
  (load('ajv-formats') as typeof Formats.default).default(ajv);
}

/** The expression language; asked for at every step of an evaluation. */
export function cel(): typeof Cel {
  kept.cel ??= load('@bufbuild/cel') as typeof Cel;
  return kept.cel;
}

export function celExtension(): typeof CelExtension {
  kept.extension ??= load('@bufbuild/cel/ext') as typeof CelExtension;
  return kept.extension;
}

/** All of YAML; what machines and most people write is read without. Asked for at every node of a document. */
export function yaml(): typeof Yaml {
  kept.yaml ??= load('yaml') as typeof Yaml;
  return kept.yaml;
}
