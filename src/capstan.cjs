#!/usr/bin/env node
// Runs on any Node: finds one that can run src/main.ts as it is (>= 24.15) and hands over to it.
'use strict';
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const path = require('node:path');

function isEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 15);
}

function newerNode() {
  for (let dir = __dirname; ; dir = path.dirname(dir)) {
    for (const name of ['node_modules/node/bin/node', 'node_modules/.bin/node', 'node_modules/node/bin/node.exe']) {
      if (existsSync(path.join(dir, name))) return path.join(dir, name);
    }
    if (dir === path.dirname(dir)) return undefined;
  }
}

const main = path.join(__dirname, 'main.ts');
if (isEnough(process.version)) {
  // Before the first module with types: a single one that is not in the cache makes Node load what strips them, longer than all of --help.
  // In the program's own folder: a folder that others may write to could hand us other code.
  require('node:module').enableCompileCache(path.join(__dirname, '../node_modules/.cache/capstan'));
  require('./own-modules.cjs').register();
  // A dynamic import of TypeScript: this branch is reached only where Node strips types by itself.
  void import(require('node:url').pathToFileURL(main).href);
} else {
  const node = newerNode();
  if (node === undefined) {
    process.stderr.write(
      `capstan needs Node.js 24.15 or newer; this is ${process.version}. Run 'npm ci' in its folder (it brings its own), or install Node.js 24.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, ['--disable-proto=throw', main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal !== null) process.kill(process.pid, signal);
    else process.exit(code === null ? 1 : code);
  });
}
