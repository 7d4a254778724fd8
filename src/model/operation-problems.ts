import type { CatalogueEntry } from '#model/problem-catalogue.ts';

/** Entries of problems of operation: windows, gates, strategies, sync, tenants, quotas, fleets, devices, and what promotions need. */
export const OPERATION_PROBLEMS: Readonly<Record<string, CatalogueEntry>> = {
  'code-owners-missing': {
    rule: 'V-86',
    title: 'Nobody is asked about changes that matter',
    why: 'Policies and environments of risk high decide what runs; a forge asks their owners only where CODEOWNERS names some.',
    example: '# .github/CODEOWNERS\n/capsules/ @acme/team-hello\n# nothing for /policies/ and /environments/prod/',
    remedy:
      'Add lines such as "/policies/ @acme/sre" and "/environments/prod/ @acme/sre", and require reviews of code owners on the forge.',
  },
  'device-does-not-fit': {
    rule: 'V-60',
    title: 'A capsule cannot run on a device that it is sent to',
    why: 'The device would fetch it, fail, and go back; a whole wave would be lost to a mistake that git already shows.',
    example: 'compatibility: { architectures: [amd64] }   # the device: hardware: { arch: arm64 }',
    remedy: 'Keep the capsule off this fleet, build it for the device, or take the device out of the fleet.',
  },
  'device-in-two-fleets': {
    rule: 'V-63',
    title: 'Two fleets of one environment want the same device',
    why: 'Each would offer its own configuration, and the device would follow whoever spoke last.',
    example: '# two fleets: selector: { matchLabels: { class: kiosk } }',
    remedy: 'Change the labels of the device, or what one of the fleets selects.',
  },
  'device-key': {
    rule: 'V-62',
    title: 'The key of a device cannot be its identity',
    why: 'Who has the key is the device: a shared key, one that is no point of the curve, or one with two spellings identifies nobody.',
    example: 'identity: { ed25519: "AAAAC3NzaC1lZDI1NTE5AAAA..." }   # an SSH key',
    remedy:
      'Write the SPKI DER in base64 that "openssl pkey -in KEY -pubout -outform DER | base64 -w0" prints, a key of its own for each device.',
  },
  'device-limits': {
    rule: 'V-65',
    title: 'A fleet asks more of its devices than they can give',
    why: 'A device that misses a poll would count as stale, or has no room for the slot that it could go back to.',
    example: 'delivery: { pollInterval: 10m }\noffline: { maxStaleness: 20m }',
    remedy: 'Allow at least three polls, and room for twice the largest bundle; or replace in place.',
  },
  'freeze-over': {
    rule: 'V-96',
    title: 'A freeze has ended and still stands there',
    why: 'It blocks nothing any more, and who reads it thinks that it does.',
    example: 'freeze: { reason: INC-421, until: 2020-01-01 }',
    remedy: 'Take it away, or move its end.',
  },
  'gate-invalid': {
    rule: 'V-92',
    title: 'A gate cannot be read, or looks at nothing',
    why: 'A gate that can never be judged holds every promotion, and one that is missed by mistake holds none.',
    example: "gates: [{ name: eval, type: eval, when: 'capsule.kind in [1' }]",
    remedy: 'Give each gate a name of its own, a condition over change, capsule and environment, and something that exists to look at.',
  },
  'image-not-pinned': {
    rule: 'V-31',
    title: 'An image is named by a tag alone',
    why: 'A tag may mean another image tomorrow: what was tested and approved would not be what runs.',
    example: 'image: registry.example.com/acme/web:1.4.2',
    remedy: 'Write the digest that the registry gave: registry.example.com/acme/web@sha256:...',
  },
  'preview-unsafe': {
    rule: 'V-59',
    title: 'A preview does not end, or reads secrets of production',
    why: 'Previews run what nobody has reviewed; they go by themselves, and nothing of value is within their reach.',
    example: 'metadata: { labels: { stage: preview } }\nspec: {}   # without expires',
    remedy: 'Add expires, such as 7d, and give previews secrets of their own.',
  },
  'quota-exceeded': {
    rule: 'V-39',
    title: 'More is requested than the quota allows',
    why: 'The cluster would refuse the last pods, usually in the middle of a rolling change; here it shows before anything moves.',
    example: 'quota: { cpu: "2" }   # and two targets with three replicas of 500m each',
    remedy: 'Lower requests or replicas, or raise the quota. Smallest replicas, Jobs and the surge of rolling changes count.',
  },
  'strategy-invalid': {
    rule: 'V-93',
    title: 'The steps or the analysis of a strategy make no sense',
    why: 'A canary that shrinks is no canary, and an analysis that gets no data must know what that means.',
    example: 'steps: [{ setWeight: 60 }, { setWeight: 50 }]',
    remedy: 'Let weights increase, and say what no data means: onNoData: pass, fail or inconclusive.',
  },
  'strategy-needs-traffic': {
    rule: 'V-94',
    title: 'A strategy wants to share traffic where nothing can',
    why: 'Without a provider that the driver knows, or with one replica and no route, the new version would take over at once.',
    example: 'strategy: { type: canary }   # deployed by driver: directory',
    remedy: 'Name a provider that the driver supports, raise the replicas or provide a port; or use the strategy rolling.',
  },
  'sync-invalid': {
    rule: 'V-96',
    title: 'What keeps targets in line would not end, would lose data, or would compare nothing',
    why: 'Each of these shows only on a bad day: when something hangs, goes away or is changed by hand.',
    example: 'drift: { ignore: [{ target: { kind: Deployment }, paths: [/spec] }] }',
    remedy: 'Bound times and retries, confirm deletions where data is kept, end freezes, and ignore single fields only.',
  },
  'tenancy-broken': {
    rule: 'V-56',
    title: 'An environment leaves the place of its tenant',
    why: 'Namespaces and dedicated targets are what separates tenants; one environment outside of them breaks it for both.',
    example: 'tenants: { acme: { namespacesPrefix: "acme-" } }\ntenancy: { tenant: acme, namespace: shop }',
    remedy: 'Use a declared tenant, a namespace with its prefix, and a target that is not dedicated to somebody else.',
  },
  'waves-incomplete': {
    rule: 'V-61',
    title: 'The waves of a fleet shrink, or do not reach every device',
    why: 'Devices that no wave covers stay behind for good, and nobody is told.',
    example: 'waves: [{ name: early, devices: { percent: 10 } }, { name: rest, devices: { percent: 60 } }]',
    remedy: 'Order the waves from few devices to all; the last one is { percent: 100 }.',
  },
  'window-denies-forever': {
    rule: 'V-91',
    title: 'A deny window never ends',
    why: 'Nothing would ever move, and a freeze says that more clearly, with a reason and an end.',
    example: 'windows: [{ name: closed, kind: deny, start: "2026-01-01" }]',
    remedy: 'Give it an end or a duration, or write a freeze.',
  },
  'window-invalid': {
    rule: 'V-91',
    title: 'A window cannot be read',
    why: 'A window that nobody can read would hold everything, or nothing.',
    example:
      'windows: [{ name: week, kind: allow, rrule: "FREQ=WEEKLY;BYDAY=MO", start: "2026-01-05T09:00", duration: 7h, timeZone: Madrid }]',
    remedy:
      'Write start with duration or end, and for what recurs an rrule of RFC 5545 (FREQ=DAILY, WEEKLY, MONTHLY or YEARLY) with start and duration, in a zone such as Europe/Madrid.',
  },
  'window-never-opens': {
    rule: 'V-91',
    title: 'The windows of an environment do not open soon',
    why: 'An allow window that is over, or lies where a deny window lies, holds every promotion without a word.',
    example: 'windows: [{ name: launch, kind: allow, start: "2020-01-05T09:00", duration: 7h }]',
    remedy: 'Correct the recurrence or its end, or take the windows away. With --now another instant is looked at.',
  },
};
