import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** Codes of charts, kustomizations and the programs that render them, sorted. */
export const FOREIGN_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'chart-differs': {
    rule: undefined,
    title: 'A vendored chart is not the one that is declared',
    why: 'Name, version and digest say what was reviewed; what lies in the capsule is what is rendered.',
    example: 'source: { path: charts/redis-20.1.0.tgz, sha256: <of another archive> }',
    remedy: 'Correct the field, or vendor the chart that it names.',
  },
  'chart-not-vendored': {
    rule: undefined,
    title: 'A chart or kustomization is not in the capsule',
    why: 'Nothing is fetched while rendering: what an address answers may change, the content of a capsule does not.',
    example: 'source: { chart: redis, repo: "https://charts.example.com", version: "20.1.0" }',
    remedy: 'Run the helm pull that the message names, commit the archive, and set source.path and source.sha256.',
  },
  'helm-hook-unsupported': {
    rule: undefined,
    title: 'A chart has a hook for a moment that does not exist here',
    why: 'A declared state is neither deleted nor rolled back by helm; a hook that never runs would be left out silently.',
    example: 'annotations: { helm.sh/hook: pre-delete }',
    remedy: 'Name the hook in source.skipHooks if it can be left out, or turn it off by the values of the chart.',
  },
  'kustomization-invalid': {
    rule: undefined,
    title: 'A kustomization names something that is not in the capsule',
    why: 'kustomize fetches what it does not find; a rendering follows from the capsule alone.',
    example: 'resources: [github.com/acme/base?ref=main]',
    remedy: 'Copy it into the capsule and name it by a relative path.',
  },
  'secret-not-opened': {
    rule: undefined,
    title: 'An encrypted secret could not be opened where it is applied',
    why: 'Its values exist only in the applied object: without a key that opens the file there is nothing to write.',
    example: 'secrets: { greeter: { api-key: { provider: sops, path: secrets/api.yaml } } } and no sops.ageKey',
    remedy: 'Set sops.ageKey in the configuration of the service, install sops, or encrypt the file for the recipient of that key.',
  },
  'secret-not-sealed': {
    rule: undefined,
    title: 'The encrypted file of a secret cannot be used',
    why: 'Only a file of environments/<env>/secrets that sops encrypted for age recipients gives values; one that is in the clear is no secret any more.',
    example: 'secrets: { greeter: { api-key: { provider: sops, path: secrets/api.yaml } } } without that file',
    remedy: 'Encrypt the file with sops for age recipients, with the keys that the capsule declares.',
  },
  'tool-failed': {
    rule: undefined,
    title: 'helm or kustomize refused its input',
    why: 'Its own message says why; the same version says the same on any machine.',
    example: 'a chart whose dependencies do not lie in charts/',
    remedy: 'Correct the chart, its values or the kustomization.',
  },
  'tool-limit': {
    rule: undefined,
    title: 'helm or kustomize broke a limit',
    why: 'A chart is a program; one that does not end, or that fills memory or disk, must not stop the others.',
    example: '{{ range until 1000000000 }}',
    remedy: 'Make what it renders smaller.',
  },
  'tool-missing': {
    rule: undefined,
    title: 'The program that renders a component is not here',
    why: 'Versions of helm and kustomize differ in what they render, so exactly the declared one is used.',
    example: 'source: { tool: "3.22.0" } where PATH has helm 3.14.0',
    remedy: 'Install that version on PATH, or name it in capstan.yaml under tools with its path and sha256.',
  },
};
