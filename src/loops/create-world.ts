import type { ForeignRenderer } from '#ports/foreign-renderer.ts';
import { noteArrivals } from './arrivals.ts';
import { createFindings } from './attested.ts';
import { createLedgerReader } from './audit-branch.ts';
import { createCapsuleSignatures, type CapsuleArtifacts } from './capsule-signatures.ts';
import { createCommitFindings } from './commit-findings.ts';
import { createCorrections } from './corrections.ts';
import { createEvidenceReader } from './evidence-branch.ts';
import { createFirstSeen, createRanSince } from './first-seen.ts';
import { createForeignAnswers } from './foreign-answers.ts';
import { createImageTrust } from './image-trust.ts';
import { createMainHistory } from './main-history.ts';
import { createProtectionReader } from './protection.ts';
import { createReading } from './reading.ts';
import { createRegistryEvidence } from './registry-evidence.ts';
import { createEnvironmentRenderer } from './render-environment.ts';
import { createRenderedReader } from './rendered-branch.ts';
import type { World } from './world.ts';

/** What the world outside plugs in; the rest of a `World` is memory that can be lost. */
export interface WorldPorts extends Omit<
  World,
  | 'arrivals'
  | 'reading'
  | 'environments'
  | 'history'
  | 'ledger'
  | 'rendered'
  | 'protection'
  | 'foreign'
  | 'corrections'
  | 'evidence'
  | 'findings'
  | 'images'
  | 'capsuleSignatures'
  | 'registryEvidence'
  | 'commitFindings'
> {
  /** Absent: Helm and Kustomize components are problems that say so. */
  readonly foreignRenderer?: ForeignRenderer | undefined;
  /** Absent: signatures of capsules and evidence are looked for on the evidence branch alone. */
  readonly capsuleArtifacts?: CapsuleArtifacts | undefined;
}

/** A world with nothing remembered yet. */
export function createWorld(ports: WorldPorts): World {
  const { clock, settings } = ports;
  const { repository, arrivals } = noteArrivals(ports.repository);
  const reading = createReading(repository);
  const ledger = createLedgerReader(repository);
  const commitFindings = createCommitFindings(ports.signatures);
  const ranSince = createRanSince({ repository, ledger });
  const history = createMainHistory({
    repository,
    reading,
    branch: settings.branch,
    root: settings.trustRoot,
    rootSigners: settings.trustSigners,
    findings: commitFindings,
    firstSeen: createFirstSeen({ repository, ledger, clock }),
    ranSince,
    kept: async () => (await ledger.at(await repository.resolve('audit'))).kept,
  });
  const [evidence, findings] = [createEvidenceReader(repository), createFindings()];
  const foreign = createForeignAnswers(ports.foreignRenderer);
  return {
    ...ports,
    foreign,
    repository,
    arrivals,
    reading,
    ledger,
    rendered: createRenderedReader(repository),
    history,
    environments: createEnvironmentRenderer(reading, { renderer: ports.renderer, foreign }, clock),
    protection: createProtectionReader(ports),
    corrections: createCorrections(),
    images: createImageTrust({ ...ports, ranSince }),
    evidence,
    findings,
    capsuleSignatures: createCapsuleSignatures({
      repository,
      reading,
      evidence,
      findings,
      ranSince,
      bundles: ports.bundles,
      clock,
      machineRoot: ports.machineRoot,
      artifacts: ports.capsuleArtifacts,
    }),
    registryEvidence: createRegistryEvidence({ ...ports, repository, reading, findings, artifacts: ports.capsuleArtifacts }),
    commitFindings,
  };
}
