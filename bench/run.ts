import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { programPath } from '#test/servers/built-programs.ts';
import { GO_PROGRAMS } from '#test/servers/programs.ts';
import { measureSteady, printSteady, steadyVerdicts } from './cluster-steady.ts';
import { clusterVerdicts, measureCluster, printCluster } from './cluster.ts';
import { peersOf } from './peers.ts';
import { promotionInLargeRepository } from './promotion.ts';
import { measureSizes } from './push.ts';
import { type IntakeResult, printIntake, printPeers, printPromotion, printSizes, verdictsOf } from './report.ts';
import { measureTrust, printTrust, trustVerdicts } from './trust.ts';
import { measureValidate, printValidate, validateVerdicts } from './validate.ts';

const HELP = `npm run bench -- [options]

  --sizes 100,1000,10000  units (environment, target, capsule) of the generated repositories
  --rounds N              pushes measured at each size (40); three rounds of intake, one for fewer than 10
  --seconds N             length of one round of webhook intake (60)
  --only PARTS            push, promotion, intake, peers, validate, cluster, steady, trust
  --objects 1000,4000     objects that are applied to a cluster; --rounds is 5 at most there
  --held 10000            objects of the cluster that nothing happens to, for five minutes
  --images N              images whose signatures are verified (1000)
  --capsules N            capsules of the repository that validate looks at (1000)
  --json                  print the report as JSON instead of tables
  --out FILE              where the JSON is written (.bench/result.json)
  --help

Ends with 1 when a goal is missed.
`;

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100,1000,10000' },
    rounds: { type: 'string', default: '40' },
    seconds: { type: 'string', default: '60' },
    only: { type: 'string', default: 'push,promotion,intake,peers,validate,cluster,steady,trust' },
    capsules: { type: 'string', default: '1000' },
    objects: { type: 'string', default: '1000,4000' },
    images: { type: 'string', default: '1000' },
    held: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
    out: { type: 'string', default: join(import.meta.dirname, '..', '.bench', 'result.json') },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else await bench();

async function bench(): Promise<void> {
  const rounds = wholeNumber('rounds', values.rounds);
  const seconds = wholeNumber('seconds', values.seconds);
  const sizes = values.sizes.split(',').map((size) => wholeNumber('sizes', size));
  const parts = new Set(values.only.split(','));
  const folder = await mkdtemp(join(tmpdir(), 'capstan-bench-'));
  try {
    const kustomize = programPath('kustomize');
    const machine = {
      processors: cpus().length,
      model: cpus()[0]?.model ?? 'unknown',
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
      git: execFileSync('git', ['--version'], { encoding: 'utf8' }).trim(),
      kustomize: GO_PROGRAMS['kustomize']?.version ?? '',
    };
    const push = parts.has('push') ? await measureSizes({ sizes, rounds, kustomize, folder }) : [];
    const files = Math.min(10_000, Math.max(...sizes));
    const promotion = parts.has('promotion') ? await promotionInLargeRepository({ files, folder: join(folder, 'promotion') }) : undefined;
    const intake = parts.has('intake') ? intakeBench(seconds, rounds < 10 ? 1 : 3) : undefined;
    const peers = parts.has('peers') ? await peersOf({ units: Math.min(...sizes), rounds: Math.min(rounds, 10), folder }) : undefined;
    const capsules = wholeNumber('capsules', values.capsules);
    const validate = parts.has('validate') ? await measureValidate({ capsules, rounds, folder }) : undefined;
    const objects = values.objects.split(',').map((count) => wholeNumber('objects', count));
    const cluster = parts.has('cluster')
      ? await measureCluster({ objects, rounds: Math.min(rounds, 5), folder: join(folder, 'cluster') })
      : undefined;
    const held = wholeNumber('held', values.held);
    const steady = parts.has('steady')
      ? await measureSteady({ objects: held, seconds: 300, edits: 100, folder: join(folder, 'steady') })
      : undefined;
    const images = wholeNumber('images', values.images);
    const trust = parts.has('trust')
      ? await measureTrust({ images, rounds: Math.min(rounds, 5), folder: join(folder, 'trust') })
      : undefined;
    const verdicts = [
      ...verdictsOf(push, promotion, intake),
      ...validateVerdicts(validate),
      ...clusterVerdicts(cluster),
      ...steadyVerdicts(steady),
      ...trustVerdicts(trust),
    ];
    const report = { machine, push, promotion, intake, peers, validate, cluster, steady, trust, verdicts };
    if (values.json) console.log(JSON.stringify(report, undefined, 2));
    else {
      console.log(Object.values(machine).join(' | '));
      if (push.length > 0) printSizes(push);
      if (promotion !== undefined) printPromotion(promotion);
      if (intake !== undefined) printIntake(intake);
      if (validate !== undefined) printValidate(validate);
      if (peers !== undefined) printPeers(peers);
      if (cluster !== undefined) printCluster(cluster);
      if (steady !== undefined) printSteady(steady);
      if (trust !== undefined) printTrust(trust);
      console.log('');
      for (const verdict of verdicts) console.log(`${verdict.held ? 'held  ' : 'MISSED'} ${verdict.goal}: ${verdict.measured}`);
    }
    const out = resolve(values.out);
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, `${JSON.stringify(report, undefined, 2)}\n`);
    if (verdicts.some((verdict) => !verdict.held)) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9][0-9]{0,6}$/.test(text)) throw new Error(`--${name} takes whole numbers from 1, not ${JSON.stringify(text)}`);
  return Number(text);
}

/** bench/intake.ts in processes of its own. */
function intakeBench(seconds: number, rounds: number): IntakeResult {
  const script = join(import.meta.dirname, 'intake.ts');
  const args = [script, '--json', '--rounds', String(rounds), '--seconds', String(seconds)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}
