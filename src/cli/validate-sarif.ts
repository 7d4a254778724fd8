import { pathToFileURL } from 'node:url';

import { PROBLEM_CATALOGUE } from '#model/problem-catalogue.ts';
import type { Problem } from '#model/problem.ts';
import { printable } from './output.ts';
import { fingerprintOf } from './validate-baseline.ts';

interface Told {
  readonly problems: readonly Problem[];
  readonly version: string;
  readonly root: string;
}

/** SARIF 2.1.0 (OASIS), as code scanning reads it: one run, one rule a code, places relative to the root. */
export function sarifText(from: Told): string {
  const codes = [...new Set(from.problems.map((problem) => problem.code))].sort();
  const rules = codes.map((id) => {
    const first = from.problems.find((problem) => problem.code === id);
    const entry = PROBLEM_CATALOGUE.get(id);
    return {
      id,
      ...(first?.rule === undefined ? {} : { name: first.rule }),
      ...(entry === undefined ? {} : { shortDescription: { text: entry.title }, fullDescription: { text: entry.why } }),
      help: { text: printable(entry?.remedy ?? first?.remedy ?? '') },
    };
  });
  const results = from.problems.map((problem) => ({
    ruleId: problem.code,
    ruleIndex: codes.indexOf(problem.code),
    level: problem.severity,
    message: { text: printable(`${problem.message}\n${problem.remedy}`) },
    partialFingerprints: { 'capstan/v1': fingerprintOf(problem) },
    ...(problem.place.file === undefined ? {} : { locations: [{ physicalLocation: physicalLocation(problem) }] }),
  }));
  const root = { uri: `${pathToFileURL(from.root).href}/` };
  const driver = { name: 'capstan', version: from.version, rules };
  const run = { tool: { driver }, originalUriBaseIds: { ROOT: root }, columnKind: 'utf16CodeUnits', results };
  const log = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function physicalLocation({ place: { file = '', line, column } }: Problem): object {
  const artifactLocation = { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: 'ROOT' };
  if (line === undefined) return { artifactLocation };
  return { artifactLocation, region: { startLine: line, ...(column === undefined ? {} : { startColumn: column }) } };
}
