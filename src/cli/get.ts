import { queryHistory } from '#loops/ledger-queries.ts';
import { statusOf } from '#loops/status.ts';
import type { EnvironmentStatus } from '#loops/status.ts';
import type { DesiredState } from '#model/desired.ts';
import type { Json } from '#model/json.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import { didYouMean } from '#model/suggest.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { outputFormat, printDocument, tableText } from './output.ts';
import type { OpenedWorld } from './powers.ts';
import { commitOf, headOf, placeOf } from './repository.ts';
import { statusDocument } from './status.ts';

interface Listing {
  readonly kind: string;
  readonly header: readonly string[];
  readonly items: readonly { readonly name: string; readonly row: readonly string[]; readonly document: object }[];
}

export async function get({ words, options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['table', 'json', 'yaml', 'name']);
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    const at = await world.reading.at(typeof options.rev === 'string' ? await commitOf(world, options.rev) : await headOf(world));
    const listing = await list(world, words[0] ?? '', (await world.reading.desiredState(at)).state);
    const items = listing.items.map((item) => item.document);
    if (format === 'json') printDocument(terminal, listing.kind, { items });
    else if (format === 'yaml')
      terminal.out(
        writeKubernetesYaml({
          apiVersion: 'capstan.dev/v1alpha1',
          kind: listing.kind,
          formatVersion: 1,
          items: JSON.parse(JSON.stringify(items)) as Json,
        }),
      );
    else if (format === 'name') terminal.out(listing.items.map((item) => `${item.name}\n`).join(''));
    else
      terminal.out(
        tableText(
          listing.header,
          listing.items.map((item) => item.row),
        ),
      );
    return EXIT.ok;
  } finally {
    await world.close();
  }
}

const KINDS = ['capsules', 'environments', 'targets', 'devices', 'runs'] as const;

async function list(world: OpenedWorld, kind: string, state: DesiredState): Promise<Listing> {
  switch (kind) {
    case 'capsule':
    case 'capsules': {
      const statuses = await statusesOf(world, state);
      return {
        kind: 'CapsuleList',
        header: ['ENVIRONMENT', 'INSTANCE', 'CAPSULE', 'VERSION', 'SYNC', 'HEALTH', 'SHA256'],
        items: statuses.flatMap(({ environment, capsules }) =>
          capsules.map((item) => ({
            name: `${environment}/${item.instance}`,
            row: [environment, item.instance, item.capsule, item.version, item.sync, item.health, item.sha256.slice(0, 12)],
            document: { environment, ...item },
          })),
        ),
      };
    }
    case 'environment':
    case 'environments': {
      const statuses = await statusesOf(world, state);
      return {
        kind: 'EnvironmentList',
        header: ['NAME', 'RISK', 'FROM', 'TARGETS', 'ENDING'],
        items: statuses.map((status) => {
          const declared = state.environments.find((item) => item.name === status.environment)?.declared.value.spec;
          const from = declared?.promotion?.from?.environments ?? [];
          const targets = status.targets.map((target) => target.name);
          return {
            name: status.environment,
            row: [status.environment, declared?.risk ?? '-', from.join(',') || '-', targets.join(',') || '-', status.ending.kind],
            document: { ...statusDocument(status), risk: declared?.risk ?? null, from },
          };
        }),
      };
    }
    case 'target':
    case 'targets': {
      const statuses = await statusesOf(world, state);
      return {
        kind: 'TargetList',
        header: ['ENVIRONMENT', 'TARGET', 'SYNC', 'HEALTH', 'DRIFTED', 'PARTITION', 'WAITING'],
        items: statuses.flatMap(({ environment, targets }) =>
          targets.map((target) => ({
            name: `${environment}/${target.name}`,
            row: [
              environment,
              target.name,
              target.sync,
              target.health,
              String(target.drifted),
              target.partition ?? '-',
              target.waiting ?? '-',
            ],
            document: { environment, ...target },
          })),
        ),
      };
    }
    case 'device':
    case 'devices':
      return {
        kind: 'DeviceList',
        header: ['ENVIRONMENT', 'DEVICE', 'STATE', 'RUNTIME'],
        items: state.environments.flatMap((environment) =>
          environment.devices.map((device) => {
            const { metadata, spec } = device.value;
            return {
              name: `${environment.name}/${metadata.name}`,
              row: [environment.name, metadata.name, spec.state, spec.runtime ?? '-'],
              document: { environment: environment.name, name: metadata.name, state: spec.state, runtime: spec.runtime ?? null },
            };
          }),
        ),
      };
    case 'run':
    case 'runs': {
      const rows = await queryHistory(world, {});
      const runs = [...Map.groupBy(rows, (row) => row.runId).values()].flatMap((all) => all.at(-1) ?? []);
      return {
        kind: 'RunList',
        header: ['RUN', 'TIME', 'ENVIRONMENT', 'TARGET', 'OUTCOME'],
        items: runs.map((row) => ({
          name: row.runId,
          row: [row.runId, row.time, row.environment, row.target, row.outcome],
          document: row,
        })),
      };
    }
    default:
      throw new UsageError(`'capstan get ${kind}' is not known; there is ${KINDS.join(', ')}${didYouMean(kind, KINDS)}`);
  }
}

/** One after another: they share what was read. */
async function statusesOf(world: OpenedWorld, state: DesiredState): Promise<readonly EnvironmentStatus[]> {
  const statuses: EnvironmentStatus[] = [];
  for (const environment of state.environments) statuses.push(await statusOf(world, environment.name));
  return statuses;
}
