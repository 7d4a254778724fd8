// Says where the program's own modules are. Node's resolver gives the same answers, and asks the disk several times for each of some 300 modules:
// a tenth of a small run (docs/decisions/0185).
'use strict';
const path = require('node:path');
const { registerHooks } = require('node:module');
const { pathToFileURL } = require('node:url');
const { imports } = require('../package.json');

const src = pathToFileURL(path.join(__dirname, path.sep)).href;
/** `#model/` -> where its files are; only folders of this one, and only whole ones. */
const folders = new Map(
  Object.entries(imports)
    .filter(([name, to]) => name.endsWith('/*') && to === `./src/${name.slice(1)}`)
    .map(([name]) => [name.slice(0, -1), `${src}${name.slice(1, -1)}`]),
);
/** Names that need no decoding: what else there may be is Node's to resolve. */
const PLAIN = /^(?:#[a-z]+\/|\.\/)[a-z0-9./-]+\.ts$/;

/** Packages of a hundred files each, which every policy needs: what one of their CommonJS files asks for beside it is there. */
const LARGE = pathToFileURL(path.join(__dirname, '../node_modules/@bufbuild', path.sep)).href;
const BESIDE = /^\.{1,2}\/(?:\.\.\/)*[a-z0-9_/-]+(?:\.[a-z0-9_-]+)*\.js$/i;

function resolve(specifier, context, next) {
  const file = packageFile(specifier, context.parentURL);
  if (file !== undefined) return { url: file, format: 'commonjs', shortCircuit: true };
  const url = ownModule(specifier, context.parentURL);
  return url === undefined ? next(specifier, context) : { url, format: 'module-typescript', shortCircuit: true };
}

function packageFile(specifier, parent) {
  if (parent === undefined || !BESIDE.test(specifier) || !parent.startsWith(LARGE) || !parent.includes('/dist/cjs/')) return undefined;
  return new URL(specifier, parent).href;
}

function ownModule(specifier, parent) {
  if (!PLAIN.test(specifier) || specifier.includes('..')) return undefined;
  if (specifier.startsWith('./')) {
    return parent?.startsWith(src) === true ? `${parent.slice(0, parent.lastIndexOf('/') + 1)}${specifier.slice(2)}` : undefined;
  }
  const end = specifier.indexOf('/') + 1;
  const folder = folders.get(specifier.slice(0, end));
  return folder === undefined ? undefined : `${folder}${specifier.slice(end)}`;
}

module.exports = { ownModule, packageFile, register: () => registerHooks({ resolve }) };
