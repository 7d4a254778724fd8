import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** Codes of what goes with what and what follows what: conflicts, upgrades, retirement, imports; sorted. */
export const SUCCESSION_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'capsule-conflict': {
    rule: 'V-21',
    title: 'Two capsules that exclude each other',
    why: 'One of them declares that it does not work beside the other. That holds both ways, whichever of them says so.',
    example: 'greeter: conflicts: [{ capsule: greeter-legacy, version: "*" }], and an environment that asks for both',
    remedy: 'Take one of the two out of the environment, or ask for versions that go together.',
  },
};
