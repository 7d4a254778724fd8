import type { CommitId } from '#model/digest.ts';
import type { AllowedSigner } from '#model/verdict.ts';
import type { Bundles } from '#ports/bundles.ts';
import type { CommitSignatures } from '#ports/commit-signatures.ts';
import type { Forge } from '#ports/forge.ts';
import type { Kept } from '#ports/kept.ts';
import type { Clock, Ids, Journal, Signer } from '#ports/machine.ts';
import type { Registry } from '#ports/registry.ts';
import type { Renderer } from '#ports/renderer.ts';
import type { Repository } from '#ports/repository.ts';
import type { Targets } from '#ports/target.ts';
import type { Arrivals } from './arrivals.ts';
import type { Findings } from './attested.ts';
import type { LedgerReader } from './audit-branch.ts';
import type { CapsuleSignatures } from './capsule-signatures.ts';
import type { CommitFindingsReader } from './commit-findings.ts';
import type { Corrections } from './corrections.ts';
import type { EvidenceReader } from './evidence-branch.ts';
import type { ForeignAnswers } from './foreign-answers.ts';
import type { ImageTrust } from './image-trust.ts';
import type { MainHistory } from './main-history.ts';
import type { ProtectionReader } from './protection.ts';
import type { Reading } from './reading.ts';
import type { RegistryEvidence } from './registry-evidence.ts';
import type { EnvironmentRenderer } from './render-environment.ts';
import type { RenderedReader } from './rendered-branch.ts';

/** What a run may use. Loops take the part of it that they need. */
export interface World {
  readonly repository: Repository;
  readonly arrivals: Arrivals;
  readonly reading: Reading;
  readonly environments: EnvironmentRenderer;
  readonly renderer: Renderer;
  readonly foreign: ForeignAnswers;
  readonly history: MainHistory;
  readonly ledger: LedgerReader;
  readonly rendered: RenderedReader;
  readonly protection: ProtectionReader;
  readonly corrections: Corrections;
  readonly evidence: EvidenceReader;
  readonly findings: Findings;
  readonly capsuleSignatures: CapsuleSignatures;
  readonly registryEvidence: RegistryEvidence;
  /** Sigstore bundles: verified offline, and made. Loaded when first asked for. */
  readonly bundles: () => Promise<Bundles>;
  /** The sigstore trusted root of this machine's configuration, for projects that declare none; throws where it cannot be had. */
  readonly machineRoot: () => Promise<Uint8Array | undefined>;
  /** Registries, loaded when first asked for. */
  readonly registry: () => Promise<Registry>;
  /** Answers in front of registries. */
  readonly kept: Kept;
  readonly images: ImageTrust;
  /** OpenPGP and X.509 signatures of commits and tags. Loaded when the first is met. */
  readonly signatures: () => Promise<CommitSignatures>;
  readonly commitFindings: CommitFindingsReader;
  readonly targets: Targets;
  /** Undefined where no forge is configured: then nothing is promoted, and commands that need one say so. */
  readonly forge: Forge | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly signer: Signer;
  readonly journal: Journal;
  readonly settings: Settings;
}

export interface Settings {
  /** Branch people declare on. */
  readonly branch: string;
  /** For `source` of audit records: `/gitops/acme-platform`. */
  readonly source: string;
  /** `acme/platform` */
  readonly repository: string;
  /** Of this Capstan, for `spec.engine`. */
  readonly version: string;
  readonly trustRoot: CommitId | undefined;
  /** Without a root: trust starts at the first commit that one of these signed. */
  readonly trustSigners: readonly AllowedSigner[] | undefined;
  readonly driftInterval: number;
  /** Beginnings of addresses that imports of proposals may be fetched from; the default branch's own imports are. */
  readonly importsFrom?: readonly string[] | undefined;
}

/** Reads only: what `validate`, `render`, `diff`, `plan` and `status` need. */
export type ReadingWorld = Pick<World, 'repository' | 'reading' | 'environments' | 'history' | 'settings' | 'clock' | 'capsuleSignatures'>;
