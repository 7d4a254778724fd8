/** Writes docs/rules.md from the rules, the catalogue of problems and the names of the tests. */
import { PROBLEM_CATALOGUE } from '#model/problem-catalogue.ts';
import { RULES } from '#model/rule-table.ts';
import { findRuleTests } from './rule-tests.ts';

export const RULES_PAGE = new URL('../docs/rules.md', import.meta.url);

/** Rules of promotion whose gate is not built yet: judged by a function on given evidence, which nothing calls so far. */
const NOT_WIRED: readonly string[] = ['V-95'];

/** The whole text of the page. */
export function rulesPage(): string {
  const tests = findRuleTests();
  const rows = Object.entries(RULES).map(([rule, { severity, phases, title }]) => {
    const codes = [...PROBLEM_CATALOGUE].filter(([, entry]) => entry.rule === rule).map(([code]) => `\`${code}\``);
    const files = [...new Set(tests.filter((one) => one.rule === rule).map((one) => `\`${one.file.replace(/^test\//, '')}\``))].sort();
    const phase = NOT_WIRED.includes(rule) ? `${phases.join(', ')} (not asked yet)` : phases.join(', ');
    return `| ${rule} | ${cell(title)} | ${severity} | ${phase} | ${codes.join(', ') || '–'} | ${files.join(', ') || '–'} |`;
  });
  return [
    '# Rules',
    '',
    'Written by `npm run generate` from `src/model/rule-table.ts`, the problem catalogue and the names of the tests; do not edit.',
    '`capstan explain V-07` says what a rule is for, with an example; `capstan explain CODE` does it for one problem.',
    '',
    'The phase is when a rule is looked at first: while declarations are validated, resolved or rendered (`capstan validate` does all three),',
    'when something is promoted, or when it is synced. *Not asked yet* is judged by a function on given evidence whose gate comes later;',
    'a gate that does not exist yet holds. Tests are below `test/`.',
    '',
    '| rule | what holds | severity | phase | problems | tested in |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}
