import { AGENT_PROBLEMS } from '#model/agent-problems.ts';
import { CLUSTER_PROBLEMS } from '#model/cluster-problems.ts';
import { COMMAND_PROBLEMS } from '#model/command-problems.ts';
import { COMPOSITION_PROBLEMS } from '#model/composition-problems.ts';
import { DECLARATION_PROBLEMS } from '#model/declaration-problems.ts';
import { ENGINE_PROBLEMS } from '#model/engine-problems.ts';
import { FOREIGN_PROBLEMS } from '#model/foreign-problems.ts';
import { OBJECT_PROBLEMS } from '#model/object-problems.ts';
import { OPERATION_PROBLEMS } from '#model/operation-problems.ts';
import { PATH_PROBLEMS } from '#model/path-problems.ts';
import { RELEASE_PROBLEMS } from '#model/release-problems.ts';
import { RENDER_PROBLEMS } from '#model/render-problems.ts';
import { SIGNATURE_PROBLEMS } from '#model/signature-problems.ts';
import { SUCCESSION_PROBLEMS } from '#model/succession-problems.ts';
import { SUPPRESSION_PROBLEMS } from '#model/suppression-problems.ts';
import { WORKLOAD_PROBLEMS } from '#model/workload-problems.ts';

/** A problem in full, for `capstan explain`. */
export interface CatalogueEntry {
  /** "V-07", or undefined for problems without a rule number. */
  readonly rule: string | undefined;
  readonly title: string;
  readonly why: string;
  /** What brings it about; empty when there is nothing short to show. */
  readonly example: string;
  readonly remedy: string;
}

/** Codes of the other chapters, sorted; append yours. */
const ENTRIES: Readonly<Record<string, CatalogueEntry>> = {
  'configuration-unreadable': {
    rule: undefined,
    title: 'The configuration of the service cannot be read',
    why: 'Without it the service knows neither its repository nor its forge.',
    example: 'capstan serve --config /nowhere/capstan.yaml',
    remedy: 'Write the file, or name another one with --config.',
  },
  'foreign-inventory': {
    rule: undefined,
    title: 'The place of a target already belongs to another one',
    why: "Two environments that write to one place would delete each other's objects.",
    example: 'path: shared in dev and in staging',
    remedy: 'Give each target a place of its own, or take the environment that wrote the old inventory out of git first.',
  },
  'foreign-object': {
    rule: undefined,
    title: 'An object stands in the way that Capstan did not put there',
    why: 'It may belong to somebody; it is never overwritten or deleted unless git says so.',
    example: 'a file in the target directory that was there before',
    remedy: 'Remove it, or name it under targets.<target>.adopt.',
  },
  'kubeconfig-unreadable': {
    rule: undefined,
    title: 'A kubeconfig that the configuration names cannot be read',
    why: 'The targets that use these credentials could never be reached; the service does not start half blind.',
    example: 'credentials: { eu-1: { kubeconfig: { file: nowhere.yaml } } }',
    remedy: 'Write the file and let this process read it, or name another one.',
  },
  'secret-not-referenced': {
    rule: undefined,
    title: 'A secret stands in the configuration itself',
    why: 'Configuration is shared, copied and committed; a secret in it is no secret any more.',
    example: 'forge: { type: github, token: ghp_... }',
    remedy: 'Write { env: NAME } or { file: PATH } in its place, and change the secret if the file was shared.',
  },
  'secret-unreadable': {
    rule: undefined,
    title: 'A secret that the configuration names cannot be read',
    why: 'Its variable is not set, or its file is absent, empty, unreadable or larger than 64 KiB. The service does not start half logged in.',
    example: 'forge: { type: github, token: { env: CAPSTAN_FORGE_TOKEN } } without that variable',
    remedy: 'Set the variable for this process, or write the file and let this process read it.',
  },
  'webhook-secret-missing': {
    rule: undefined,
    title: 'The service has no webhook secret',
    why: 'Without one anybody could wake the engine, so it does not start.',
    example: 'forge: { type: github, token: { env: CAPSTAN_FORGE_TOKEN } }',
    remedy: 'Add forge.webhookSecret: { env: CAPSTAN_WEBHOOK_SECRET } and set that variable to a long random text.',
  },
};

/** Every code a person may meet. A test compares it with the codes in the source. */
export const PROBLEM_CATALOGUE: ReadonlyMap<string, CatalogueEntry> = new Map(
  [
    ...Object.entries(AGENT_PROBLEMS),
    ...Object.entries(CLUSTER_PROBLEMS),
    ...Object.entries(COMMAND_PROBLEMS),
    ...Object.entries(COMPOSITION_PROBLEMS),
    ...Object.entries(DECLARATION_PROBLEMS),
    ...Object.entries(ENGINE_PROBLEMS),
    ...Object.entries(OBJECT_PROBLEMS),
    ...Object.entries(FOREIGN_PROBLEMS),
    ...Object.entries(OPERATION_PROBLEMS),
    ...Object.entries(PATH_PROBLEMS),
    ...Object.entries(RELEASE_PROBLEMS),
    ...Object.entries(RENDER_PROBLEMS),
    ...Object.entries(SIGNATURE_PROBLEMS),
    ...Object.entries(SUCCESSION_PROBLEMS),
    ...Object.entries(SUPPRESSION_PROBLEMS),
    ...Object.entries(WORKLOAD_PROBLEMS),
    ...Object.entries(ENTRIES),
  ].sort(([a], [b]) => (a < b ? -1 : 1)),
);
