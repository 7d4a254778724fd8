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
  'deprecated-in-use': {
    rule: 'V-24',
    title: 'A deprecated version is used',
    why: 'Its owner said that it will go, and often what takes its place. Nothing is wrong yet; after the sunset it is an error.',
    example: 'lifecycle: deprecated, deprecation: { replacedBy: greeter2, sunset: 2027-03-31 }, and a capsule that depends on it',
    remedy: 'Go over to what replaces it before the sunset.',
  },
  'deprecation-missing': {
    rule: 'V-24',
    title: 'A deprecated capsule does not say what follows',
    why: 'Who uses it learns that it will go, but not when, and not what to use instead.',
    example: 'lifecycle: deprecated without deprecation',
    remedy: 'Add spec.deprecation with replacedBy, sunset or note.',
  },
  'import-address': {
    rule: 'V-17',
    title: 'An import has an address that is not fetched from',
    why: 'What comes from another repository comes encrypted and authenticated, or from a folder of this machine that the configuration names; an address with a user or a query could hold a secret.',
    example: 'imports: { redis: { url: "http://git.example/redis.git", ... } }',
    remedy: 'Write an https address without user, query or fragment, and a path from the root of that repository.',
  },
  'import-missing': {
    rule: 'V-17',
    title: 'An imported capsule is not in this clone',
    why: 'Validation never goes to the network. What was fetched once is kept as git objects, so everything after that works offline.',
    example: 'imports: { redis: { url, commit, path } } in a fresh clone',
    remedy: 'Run capstan lock where the other repository can be reached.',
  },
  'import-refused': {
    rule: 'V-17',
    title: 'An imported capsule is not what was pinned',
    why: 'The commit, every folder on the way and the capsule are checked by their ids; the capsule must have the name that it is imported by, and a version that means no other content here.',
    example: 'imports: { redis: ... } of a directory whose capsule.yaml says metadata.name: valkey',
    remedy: 'Correct the commit, the path or the name of the import.',
  },
  'retired-in-use': {
    rule: 'V-24',
    title: 'A retired version is used',
    why: 'Nobody looks after it any more. A retired version is never chosen; what is locked to one stays until somebody moves it.',
    example: 'redis 7.2.6 says lifecycle: retired, and greeter depends on redis ^7.2.0',
    remedy: 'Use what replaces it, or leave it out.',
  },
  'rollback-impossible': {
    rule: 'V-79',
    title: 'A risky change runs a migration that cannot be taken back',
    why: 'Going back means reverting the lock. After an irreversible migration the old version finds data that it does not understand, so the plan must be another one.',
    example: 'migrations: [{ from: "<2.0.0", job: migrate-2, reversible: false }] on the way to an environment of risk high',
    remedy: 'Declare rollback in the capsule or the environment, or snapshotBeforeUpgrade on every volume of the capsule.',
  },
  'sunset-passed': {
    rule: 'V-24',
    title: 'A version is used after its sunset',
    why: 'Its owner promised to look after it until that day. validate judges by the clock, or by --now.',
    example: 'deprecation: { sunset: 2026-12-31 }, and a capsule that depends on it in 2027',
    remedy: 'Use what replaces it, or agree on another day with its owner.',
  },
  'upgrade-path-missing': {
    rule: 'V-23',
    title: 'An upgrade skips a version that it needs',
    why: 'upgradesFrom says from which versions a release can follow in place, migrations which others a Job brings along. Anything else would meet data that it cannot read.',
    example: 'upgradesFrom: ">=1.2.0" in 2.0.0, and prod runs 1.0.0',
    remedy: 'Promote the version in between first, or release one with a migration.',
  },
};
