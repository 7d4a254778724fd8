import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** Codes of composition: extends, bundles, private and optional dependencies, sorted. */
export const COMPOSITION_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'bundle-endless': {
    rule: 'V-25',
    title: 'Bundles are nested too deeply, or in each other',
    why: 'A bundle brings its children along, and they may be bundles; with the outermost they are at most 8, or nobody could say what an instance belongs to.',
    example: 'bundle a has a child of capsule b, and b has one of capsule a',
    remedy: 'Take a bundle out of the other.',
  },
  'child-config-literal': {
    rule: undefined,
    title: 'A bundle gives braces to a child',
    why: 'Texts of a capsule are filled in where its objects are rendered; the configuration of a child is not, so the child would get the braces themselves.',
    example: 'instances: { web: { capsule: web, version: ^1.0.0, config: { greeting: "{{config.greeting}}" } } }',
    remedy: 'Write the value, or let the environment say it under capsules.<bundle>.instances.',
  },
  'derived-name': {
    rule: 'V-27',
    title: 'A name made of other names is taken, or too long',
    why: 'A nested instance is called <owner>.<child>, and its objects <owner>-<child>: two of one name would overwrite each other, and Kubernetes takes 63 characters.',
    example: 'instance shop-web beside the child web of shop',
    remedy: 'Give the child, the component or the instance another, shorter name.',
  },
  'extends-endless': {
    rule: 'V-25',
    title: 'A chain of extends is too deep or comes back to itself',
    why: 'A capsule extends one other, that one may extend a third; with itself a chain has at most 8 capsules, each a different one, so that people can follow where a value comes from.',
    example: 'a extends b, and b extends a',
    remedy: 'Let the chain end: take extends out of one of them.',
  },
  'nested-undeclared': {
    rule: 'V-97',
    title: 'An environment speaks of an instance inside of another that nothing makes',
    why: 'capsules.<instance>.instances names children of a bundle and private dependencies; for any other name the wish would never be fulfilled.',
    example: 'capsules: { shop: { version: ^1.0.0, instances: { wbe: { config: {} } } } } with a child named web',
    remedy: 'Use the name of a child or of a private dependency.',
  },
  'never-completes': {
    rule: 'V-30',
    title: 'A dependency waits for something that never ends',
    why: 'condition: completed waits until a Job has finished; a capsule without a Job runs on, so nothing would ever start.',
    example: 'dependencies: { cache: { capsule: redis, version: ^7.0.0, condition: completed } }',
    remedy: 'Wait for "healthy" or "started", or depend on a capsule with a Job.',
  },
  'sealed-changed': {
    rule: 'V-26',
    title: 'A sealed capsule is changed where it is not open',
    why: 'sealed: true promises that whatever extends the capsule, or patches its objects, changes only what its extensionPoints name. Configuration is always open: its schema says what may be set.',
    example: 'base with sealed: true and no extension point; a child with components.web.replicas',
    remedy: 'Take the change out, or let the sealed capsule open that path: extensionPoints: [{ name, path }].',
  },
};
