// Generated from schemas/*.schema.json by `npm run generate`; do not edit.
import type { Json, JsonObject } from '#model/json.ts';

/** environments/project.yaml: branches, teams, tenants and trust of the repository. */
export interface Project {
  /** Version of this format. */
  readonly apiVersion: 'capstan.dev/v1alpha1';
  /** Kind of this declaration. */
  readonly kind: 'Project';
  /** Identity of the declaration. */
  readonly metadata: {
    /** Name of the project. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels of the project. */
    readonly labels?: {
      readonly [k: string]: string;
    };
    /** Free notes: names to texts. */
    readonly annotations?: {
      readonly [k: string]: string;
    };
  };
  /** What holds for the whole repository. */
  readonly spec: {
    /** Names of branches. */
    readonly branches?: {
      /** Branch that is declared and released from. */
      readonly default?: string;
      /** Further branches that release versions; * stands for any text. */
      readonly release?: readonly string[];
      /** Name of the branches that hold renderings. */
      readonly rendered?: string;
      /** Branch that holds audit records. */
      readonly audit?: string;
      /** Branch that holds evidence. */
      readonly evidence?: string;
    };
    /** Groups whose approval counts. */
    readonly teams?: {
      readonly [k: string]: {
        /** Team on the forge: organisation/team. */
        readonly github?: string;
        /** Forge logins. */
        readonly users?: readonly string[];
      };
    };
    /** Tenants that environments belong to. */
    readonly tenants?: {
      readonly [k: string]: {
        /** Every namespace of the tenant begins like this. */
        readonly namespacesPrefix?: string;
        /** What the tenant may request in all. */
        readonly quota?: {
          /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
          readonly [k: string]: string | number;
        };
      };
    };
    /** Who may sign what. */
    readonly trust?: readonly ProjectTrustEntry[];
    /**
     * How many different people must sign the same change; every threshold that matches holds.
     *
     * @maxItems 50
     */
    readonly thresholds?: readonly ProjectThreshold[];
    /** What keyless signatures and logs are verified with. */
    readonly sigstore?: {
      /** File with the authorities and logs that keyless signatures are verified with (trusted_root.json), below policies/ or environments/. */
      readonly trustedRoot?: {
        /** File of the trusted root in the repository. */
        readonly file: string;
      };
    };
    /** How promotion pull requests look. */
    readonly pullRequests?: {
      /** Labels of promotion pull requests. */
      readonly labels?: readonly string[];
      /** Open promotion pull requests as drafts. */
      readonly draftUntilGatesPass?: boolean;
      /** Close a promotion that a newer one replaces. */
      readonly autoClosesSuperseded?: boolean;
    };
    /** Price sheet of cost gates. */
    readonly prices?: {
      /** A processor for an hour. */
      readonly cpuHour?: number;
      /** A gibibyte of memory for an hour. */
      readonly memoryGiBHour?: number;
      /** A gibibyte of storage for a month. */
      readonly storageGiBMonth?: number;
      /** Currency of the prices (ISO 4217). */
      readonly currency?: string;
    };
    /** Versions that nothing may move to, as capsule@version. */
    readonly quarantine?: {
      readonly [k: string]: {
        /** What is wrong with it. */
        readonly reason: string;
        /** Who said so. */
        readonly actor?: string;
        /** When it ends by itself. */
        readonly until?: string;
      };
    };
  };
}
/** One key or identity, and what it may sign. */
export interface ProjectTrustEntry {
  /** Name of the entry. */
  readonly name: string;
  /** Forge login of the person behind the key. */
  readonly user?: string;
  /** SSH public key: type and base64 text. */
  readonly sshKey?: string;
  /** File with one armoured OpenPGP public key, below policies/ or environments/. */
  readonly openpgpKey?: {
    /** File of the key in the repository. */
    readonly file: string;
  };
  /** A public key in PEM, or the file that holds it, below policies/ or environments/. */
  readonly publicKey?:
    | string
    | {
        /** File of the key in the repository. */
        readonly file?: string;
        /** A key that is kept elsewhere. */
        readonly secretRef?: {
          /** Where it is kept. */
          readonly provider: string;
          /** Its name there. */
          readonly key: string;
        };
      };
  /** File with a root certificate in PEM, below policies/ or environments/. */
  readonly x509Root?: {
    /** File of the root certificate in the repository. */
    readonly file: string;
  };
  /** Issuer of keyless signatures; compared exactly. */
  readonly issuer?: string;
  /** Identity of keyless signatures or certificates; compared exactly. */
  readonly identity?: string;
  /** Regular expression that matches the whole identity. */
  readonly identityPattern?: string;
  /**
   * Namespaces of SSH signatures that count; all of those that the purposes use where it is absent.
   *
   * @minItems 1
   */
  readonly namespaces?: readonly string[];
  /**
   * What the key may sign.
   *
   * @minItems 1
   */
  readonly for: readonly ('commit' | 'capsule' | 'image' | 'evidence' | 'approval' | 'engine' | 'policy')[];
  /**
   * Where its signatures count; everywhere where it is absent. `*` stands for any text without a slash, `/**` at the end for the folder and all below it.
   *
   * @minItems 1
   * @maxItems 100
   *
   * Items: A path of the repository with * for any text without a slash and ** for any folders.
   */
  readonly paths?: readonly string[];
  /** Signatures count from then on. */
  readonly validFrom?: string;
  /** Signatures do not count afterwards. */
  readonly validUntil?: string;
}
/** How many people must sign one change. */
export interface ProjectThreshold {
  /** Name of the threshold. */
  readonly name: string;
  /**
   * Purposes whose signatures are counted.
   *
   * @minItems 1
   */
  readonly for: readonly ('commit' | 'capsule' | 'image' | 'evidence' | 'approval' | 'policy')[];
  /**
   * Where it holds, as in trust entries; everywhere where it is absent.
   *
   * @minItems 1
   * @maxItems 100
   *
   * Items: A path of the repository with * for any text without a slash and ** for any folders.
   */
  readonly paths?: readonly string[];
  /**
   * Trust entries whose signatures are counted; all entries for the purpose where it is absent.
   *
   * @minItems 1
   * @maxItems 100
   *
   * Items: RFC 1123 label of at most 40 characters.
   */
  readonly of?: readonly string[];
  /** So many different people. */
  readonly atLeast: number;
}

/** environments/<env>/environment.yaml: what runs there, where, and how versions reach it. */
export interface Environment {
  /** Version of this format. */
  readonly apiVersion: 'capstan.dev/v1alpha1';
  /** Kind of this declaration. */
  readonly kind: 'Environment';
  /** Identity of the declaration. */
  readonly metadata: {
    /** Name of the environment: the name of its directory. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels that policies select by. */
    readonly labels?: {
      readonly [k: string]: string;
    };
    /** Free notes: names to texts. */
    readonly annotations?: {
      readonly [k: string]: string;
    };
  };
  /** What the environment runs, where, and how versions reach it. */
  readonly spec: {
    /** Environment whose configuration lies below. */
    readonly extends?: string | null;
    /** How bad a mistake would be here; decides what is asked of a change. */
    readonly risk: 'low' | 'medium' | 'high' | 'critical';
    /** Whose it is. */
    readonly tenancy?: {
      /** Whose environment it is: a tenant of the project. */
      readonly tenant?: string;
      /** shared with other tenants, segmented from them, or dedicated. */
      readonly mode?: 'shared' | 'segmented' | 'dedicated';
      /** Namespace of the environment. */
      readonly namespace?: string;
    };
    /** The most confidential data that is allowed here. */
    readonly dataClassification?: 'public' | 'internal' | 'confidential' | 'restricted';
    /** Where it runs, by name. */
    readonly targets?: {
      readonly [k: string]: EnvironmentTarget;
    };
    /** What it runs, by instance. */
    readonly capsules?: {
      readonly [k: string]: EnvironmentRequest;
    };
    /** Abstract dependency types to capsules. */
    readonly recipes?: {
      readonly [k: string]: {
        /** The capsule that stands for the type. */
        readonly capsule: string;
        /** Its versions that fit. */
        readonly version?: string;
        /** Its configuration here. */
        readonly config?: JsonObject;
      };
    };
    /** Sources of secrets, by instance and secret. */
    readonly secrets?: {
      readonly [k: string]: {
        readonly [k: string]: {
          /** Where the value comes from: a Secret that is there (kubernetes), an external store (external-secrets), or an encrypted file (sops). */
          readonly provider: string;
          /** The store; `cluster:<name>` is one of the whole cluster. */
          readonly store?: string;
          /** Where in the store; of sops the file below the environment's folder, such as secrets/api.yaml. */
          readonly path?: string;
          /** Which value there. */
          readonly key?: string;
          /** Name of the existing Secret. */
          readonly name?: string;
        };
      };
    };
    /** The most that everything here may request. */
    readonly quota?: {
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly [k: string]: string | number;
    };
    /** Layer of every instance under global. */
    readonly config?: JsonObject;
    /** How versions come here. */
    readonly promotion?: {
      /** Upstream environments; an empty list is an entry. */
      readonly from?: {
        /**
         * Environments that a version has to pass first; none: this is where releases enter.
         *
         * Items: RFC 1123 label of at most 40 characters.
         */
        readonly environments?: readonly string[];
        /** All of them, or any one. */
        readonly strategy?: 'all' | 'any';
      };
      /** The newest that is verified upstream, or exactly what runs there. */
      readonly selection?: 'newest' | 'match-upstream';
      /** What moves in one change: each capsule, the whole environment, or groups. */
      readonly grouping?:
        | ('capsule' | 'environment')
        | {
            /** Capsules that move together, by the name of the group. */
            readonly groups: {
              /** Items: A name, or names joined by "." for private and nested instances. */
              readonly [k: string]: readonly string[];
            };
          };
      /** Open pull requests by itself. */
      readonly automatic?: boolean;
      /** Who merges: people, or the engine when all gates pass. */
      readonly merge?: 'manual' | 'auto';
      /** How long it must have been healthy upstream. */
      readonly soak?: string;
      /** What was taken back by hand does not come again by itself. */
      readonly holdOnManualRollback?: boolean;
      /** Whether an older version may be promoted. */
      readonly backward?: 'allow' | 'deny';
      /** Warn when it is this many releases behind. */
      readonly maxBehind?: number;
    };
    /** What holds a promotion back. */
    readonly gates?: readonly EnvironmentGate[];
    /** Whose approval a promotion needs. */
    readonly approvals?: readonly {
      /** CEL over change, capsule and environment: the approval is needed where this holds. */
      readonly when?: string;
      /** How many people have to approve. */
      readonly required: number;
      /**
       * People of these teams count.
       *
       * Items: RFC 1123 label of at most 40 characters.
       */
      readonly teams?: readonly string[];
      /** The author does not count. */
      readonly separationOfDuties?: boolean;
      /** An approval is worth nothing after this time. */
      readonly expiresAfter?: string;
      /** An approval ends when the change changes. */
      readonly dismissOnChange?: boolean;
      /** Only approvals that the person signed with a key that spec.trust names for approval count (capstan approve). */
      readonly signed?: boolean;
    }[];
    /** When promotions may happen. */
    readonly windows?: readonly {
      /** Name of the window. */
      readonly name: string;
      /** Promotions happen only inside, or never inside. */
      readonly kind: 'allow' | 'deny';
      /** When it opens again (RFC 5545). */
      readonly rrule?: string;
      /** When it opens first, in its time zone. */
      readonly start?: string;
      /** When it closes for good. */
      readonly end?: string;
      /** How long it stays open. */
      readonly duration?: string;
      /** Time zone of the times. */
      readonly timeZone?: string;
      /** What it does not hold for. */
      readonly except?: {
        /** Kinds of changes. */
        readonly change?: readonly ('promotion' | 'rollback' | 'emergency' | 'config')[];
      };
    }[];
    /** What must be seen after a sync. */
    readonly verification?: {
      /** When it begins. */
      readonly after?: 'sync';
      /** It has failed when it takes longer. */
      readonly timeout?: string;
      /** Verifications of capsules that must have passed. */
      readonly required?: readonly string[];
    };
    /** In which order targets get a change. */
    readonly rollout?: {
      /** Groups of targets, one after the other. */
      readonly partitions?: readonly {
        /** Name of the group. */
        readonly name: string;
        readonly selector: EnvironmentSelector;
      }[];
      /** Size of groups of the rest, as a share. */
      readonly autoPartitionSize?: string;
      /** Targets that may be unhealthy before it stops. */
      readonly maxUnavailable?: number | string;
      /** Groups that may be unhealthy before it stops. */
      readonly maxUnavailablePartitions?: number | string;
      /** Wait this long between groups. */
      readonly pauseBetween?: string;
    };
    /** How a bad change is taken back. */
    readonly rollback?: {
      /** A trigger starts it. */
      readonly automatic?: boolean;
      /** It is a pull request. */
      readonly pullRequest?: boolean;
      /** The engine merges it by itself. */
      readonly autoMerge?: boolean;
      /** Which version comes back. */
      readonly to?: 'lastVerified' | 'previous';
      /** After so many a day people have to look. */
      readonly maxPerDay?: number;
    };
    /** How targets are kept in line. */
    readonly sync?: {
      /** apply writes; delegate lets another tool do it; render-only stops at the branch; manual waits for people. */
      readonly mode?: 'apply' | 'delegate' | 'render-only' | 'manual';
      /** The tool that applies the rendered branch instead (mode delegate, drivers delegate-argocd and delegate-flux). */
      readonly delegate?: {
        /** Who applies; a driver delegate-argocd or delegate-flux says it for its target. */
        readonly tool?: 'argocd' | 'flux';
        /** Where the tool's own objects are written; default argocd, flux-system. */
        readonly namespace?: string;
        /** Argo CD: project of the Applications; default default. */
        readonly project?: string;
        /** Address of this repository as the tool reaches it; never with a password. */
        readonly repository: string;
        /** Flux: Secret of that namespace with its credentials. Argo CD finds its own by the address. */
        readonly secretRef?: string;
      };
      /** How often targets are compared with git. */
      readonly interval?: string;
      /** How long to wait after a failure. */
      readonly retryInterval?: string;
      /** What was applied and neither becomes healthy nor moves for so long is degraded. Without it: 10m. */
      readonly timeout?: string;
      /** When to stop trying. */
      readonly retryBudget?: {
        /** So many attempts. */
        readonly attempts?: number;
        /** In this time. */
        readonly per?: string;
      };
      /** Delete what is no longer declared; confirm: only when sync.confirm names the rendering. */
      readonly prune?: true | false | 'confirm';
      /** What happens with what an object owned. */
      readonly deletionPolicy?: 'Delete' | 'WaitForTermination' | 'Orphan';
      /** Most that one run may delete on a target; the smaller counts. */
      readonly deletionBudget?: {
        /** At most so many objects. */
        readonly count?: number;
        /** At most this share of them, in percent. */
        readonly percent?: number;
      };
      /** Target renderings that may delete beyond the budget. */
      readonly confirm?: readonly {
        /** Digest of exactly the rendering that may delete. */
        readonly rendering: string;
        /** Why it may. */
        readonly reason: string;
      }[];
      /** Changes made outside git are taken back. */
      readonly selfHeal?: boolean;
      /** What counts as a difference. */
      readonly drift?: {
        /** Differences that do not count. */
        readonly ignore?: readonly {
          /** In which objects: those that all of it fits. */
          readonly target: {
            /** Kind of the objects. */
            readonly kind?: string;
            /** Name of the object. */
            readonly name?: string;
            /** API group of the objects. */
            readonly group?: string;
          };
          /**
           * Where in them, as JSON pointers.
           *
           * @minItems 1
           *
           * Items: An RFC 6901 JSON pointer.
           */
          readonly paths: readonly string[];
        }[];
        /** Take it back, only report it, or open a pull request. */
        readonly onDetect?: 'correct' | 'report' | 'pullRequest';
        /** More often than this somebody else is at work: stop. */
        readonly maxPerHour?: number;
      };
      /** A sync is done when its objects are healthy. */
      readonly wait?: boolean;
      /** Nothing is synced. */
      readonly suspend?: boolean;
      /** What is rendered is reviewed in a pull request of its own. */
      readonly renderedReview?: boolean;
      /** Objects that cannot be changed are made again. */
      readonly force?: boolean;
    };
    /** Policies that are in force here. */
    readonly policies?: readonly {
      /** Name of the policy. */
      readonly ref: string;
    }[];
    /** Nothing is promoted and nothing but rollbacks is synced. */
    readonly freeze?: {
      /** Why. */
      readonly reason: string;
      /** When it ends by itself. */
      readonly until?: string;
      /** Who said so. */
      readonly by?: string;
    } | null;
    /** What is kept of what happened. */
    readonly audit?: {
      /** How long. */
      readonly retention?: string;
      /** Records are signed. */
      readonly sign?: boolean;
    };
    /** A duration or a moment. */
    readonly expires?: string | null;
  };
}
/** One place where the environment runs. */
export interface EnvironmentTarget {
  /** What puts the objects there: directory, kubernetes, edge ... */
  readonly driver: string;
  /** Directory target: its path below the root. */
  readonly path?: string;
  /** Edge target: its fleet. */
  readonly fleet?: string;
  /** Labels that capsules and rollouts select by. */
  readonly labels?: {
    readonly [k: string]: string;
  };
  /** Entry of the service configuration. */
  readonly credentials?: string;
  /** Delegated target: the cluster as the tool knows it (Argo CD: its name; Flux: Secret with a kubeconfig); default the tool's own. */
  readonly cluster?: string;
  /** Namespace of objects that name none. */
  readonly namespace?: string;
  /** Who the engine acts as on the target. */
  readonly impersonate?: string;
  /** What is true of the target; declared, never observed. */
  readonly facts?: JsonObject;
  /** Layer of this target under global. */
  readonly config?: JsonObject;
  /** Layers of single instances. */
  readonly overrides?: {
    readonly [k: string]: {
      /** Configuration layer; merged by RFC 7396. */
      readonly config?: JsonObject;
    };
  };
  /** Objects found there that may be taken over. */
  readonly adopt?: readonly EnvironmentObjectKey[];
}
/** Identity of an object. */
export interface EnvironmentObjectKey {
  /** API group; empty is the core group. */
  readonly group: string;
  /** Kind of the object. */
  readonly kind: string;
  /** Namespace; empty for objects of the whole cluster. */
  readonly namespace: string;
  /** Name of the object. */
  readonly name: string;
}
/** What is wanted of one instance. */
export interface EnvironmentRequest {
  /** Default: the name of the instance. */
  readonly capsule?: string;
  /** Versions that fit; a single one is frozen. */
  readonly version: string;
  /** Whether it runs here at all. */
  readonly enabled?: boolean;
  readonly targets?: EnvironmentSelector;
  /** Layer of this instance. */
  readonly config?: JsonObject;
  /** Changes to its objects in this environment. */
  readonly patches?: readonly {
    /** The objects that are changed: those that all of it fits. */
    readonly target: {
      /** Kind of the objects. */
      readonly kind?: string;
      /** Name of the object. */
      readonly name?: string;
      /** API group of the objects. */
      readonly group?: string;
    };
    /**
     * What is changed, one after the other (RFC 6902).
     *
     * @minItems 1
     */
    readonly ops: readonly {
      /** What is done. */
      readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
      /** Where in the object. */
      readonly path: string;
      /** Where the value of move and copy comes from. */
      readonly from?: string;
      /** The value of add, replace and test. */
      readonly value?: Json;
    }[];
  }[];
  /** Wishes for single instances inside of it, by their name without its own: children of a bundle, private dependencies. */
  readonly instances?: {
    readonly [k: string]: {
      /** Layer of this instance. */
      readonly config?: JsonObject;
      /** Changes to the objects of this child. */
      readonly patches?: readonly {
        /** The objects that are changed: those that all of it fits. */
        readonly target: {
          /** Kind of the objects. */
          readonly kind?: string;
          /** Name of the object. */
          readonly name?: string;
          /** API group of the objects. */
          readonly group?: string;
        };
        /**
         * What is changed, one after the other (RFC 6902).
         *
         * @minItems 1
         */
        readonly ops: readonly {
          /** What is done. */
          readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
          /** Where in the object. */
          readonly path: string;
          /** Where the value of move and copy comes from. */
          readonly from?: string;
          /** The value of add, replace and test. */
          readonly value?: Json;
        }[];
      }[];
    };
  };
  /** promote moves by promotion only, latest follows releases by itself, pinned stays. */
  readonly updatePolicy?: 'promote' | 'latest' | 'pinned';
  /** Content that is not released yet may run here (previews). */
  readonly allowUnreleased?: boolean;
}
/** Chooses by labels; an empty one chooses all. */
export interface EnvironmentSelector {
  /** Everything that has all of these labels. */
  readonly matchLabels?: {
    readonly [k: string]: string;
  };
}
/** A condition that holds a promotion back. */
export interface EnvironmentGate {
  /** Name of the gate. */
  readonly name: string;
  /** What it looks at. */
  readonly type:
    | 'soak'
    | 'window'
    | 'approval'
    | 'check'
    | 'tests'
    | 'scan'
    | 'eval'
    | 'signature'
    | 'policy'
    | 'slo'
    | 'cost'
    | 'drift'
    | 'compat'
    | 'plan'
    | 'drill'
    | 'external'
    | 'health';
  /** CEL over change, capsule and environment: the gate counts where this holds. */
  readonly when?: string;
  /** Predicate type of the evidence (tests). */
  readonly attestation?: string;
  /** Share of tests, from 0 to 1, that must pass (tests). */
  readonly minPassRate?: number;
  /** The worst that may be found (scan). */
  readonly maxSeverity?: 'low' | 'medium' | 'high' | 'critical';
  /** Evidence must not be older. */
  readonly maxAge?: string;
  /**
   * Checks of the forge that must have passed (check).
   *
   * @minItems 1
   */
  readonly checks?: readonly string[];
  /** The environment that it looks at. */
  readonly environment?: string;
  /** How long (soak). */
  readonly duration?: string;
  /** Share of the error budget that must be left (slo). */
  readonly minErrorBudgetRemaining?: string;
  /** Which objective (slo). */
  readonly slo?: string;
  /** How much more it may cost, in percent (cost). */
  readonly maxIncreasePercent?: number;
  /** Which drills must have been held (drill). */
  readonly kinds?: readonly ('rollback' | 'failover' | 'restore')[];
  /** How many people have to approve (approval). */
  readonly required?: number;
  /**
   * People of these teams count (approval).
   *
   * Items: RFC 1123 label of at most 40 characters.
   */
  readonly teams?: readonly string[];
  /** Which window has to be open (window). */
  readonly window?: string;
  /** Which policy has to hold (policy). */
  readonly ref?: string;
  /** Which planner is asked (plan). */
  readonly driver?: string;
  /** Who is asked (external). */
  readonly url?: string;
  /** The author does not count (approval). */
  readonly separationOfDuties?: boolean;
  /** An approval is worth nothing after this time (approval). */
  readonly expiresAfter?: string;
  /** An approval ends when the change changes (approval). */
  readonly dismissOnChange?: boolean;
  /** Only approvals that the person signed with a key of their own count (approval). */
  readonly signed?: boolean;
}

/** environments/<env>/environment.lock.yaml: what the engine resolved; written by the engine. */
export interface EnvironmentLock {
  /** Version of this format. */
  readonly apiVersion: 'capstan.dev/v1alpha1';
  /** What this document is. */
  readonly kind: 'EnvironmentLock';
  /** Whose lock it is. */
  readonly metadata: {
    /** Name of the environment. */
    readonly environment: string;
  };
  /** What is locked, by instance. */
  readonly capsules: {
    readonly [k: string]: EnvironmentLockLockEntry;
  };
  /** Instances that nothing promotes until the hold is removed. */
  readonly holds: {
    readonly [k: string]: {
      /** The change that was taken back. */
      readonly changeSet?: string;
      /** Why nothing new comes. */
      readonly reason: string;
      /** Who said so. */
      readonly actor?: string;
      /** When. */
      readonly createdAt?: string;
    };
  };
}
/** One locked instance. */
export interface EnvironmentLockLockEntry {
  /** The capsule. */
  readonly capsule: string;
  /** The version that is chosen. */
  readonly version: string;
  /** The commit that released it. */
  readonly commit: string;
  /** Git's id of the capsule's directory there. */
  readonly gitTree: string;
  /** Digest of the same content; both must match. */
  readonly sha256: string;
  /**
   * What asked for it: the environment, or other instances.
   *
   * @minItems 1
   */
  readonly requestedBy: readonly string[];
  /** Who signed the release. */
  readonly signer?: {
    /** Entry of the project's trust. */
    readonly name: string;
    /** Who that was. */
    readonly identity?: string;
    /** Who vouches for the identity. */
    readonly issuer?: string;
  };
  /** Mutable references of components as they were when this was locked. */
  readonly resolved?: {
    readonly [k: string]: {
      /** The reference. */
      readonly reference: string;
      /** What it stood for. */
      readonly digest: string;
    };
  };
}

/** capsules/<name>/capsule.yaml: a versioned unit that environments deploy. */
export interface Capsule {
  /** Version of this format. */
  readonly apiVersion: 'capstan.dev/v1alpha1';
  /** Kind of this declaration. */
  readonly kind: 'Capsule';
  /** Identity of the declaration. */
  readonly metadata: {
    /** Name of the capsule: the name of its directory, unique in the repository. */
    readonly name: string;
    /** SemVer 2.0.0 without build metadata; immutable once on the default branch. */
    readonly version: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels of the capsule; objects that are rendered carry them, too. */
    readonly labels?: {
      readonly [k: string]: string;
    };
    /** Free notes: names to texts. */
    readonly annotations?: {
      readonly [k: string]: string;
    };
  };
  /** What the capsule is made of. */
  readonly spec: {
    /** What the capsule is. */
    readonly type:
      | 'service'
      | 'job'
      | 'agent'
      | 'mcp-server'
      | 'mcp-client'
      | 'mcp-gateway'
      | 'a2a-agent'
      | 'a2a-gateway'
      | 'a2a-directory'
      | 'bridge'
      | 'model'
      | 'flags'
      | 'dashboard'
      | 'alerts'
      | 'slo'
      | 'crd'
      | 'policy'
      | 'infrastructure'
      | 'configuration'
      | 'static-site'
      | 'workflow'
      | 'firmware'
      | 'bundle'
      | 'library';
    /** Team that answers for it. */
    readonly owner?: string;
    /** The larger system that this capsule is part of. */
    readonly system?: string;
    /** How far it is: experimental, in production, deprecated (something replaces it) or retired (nobody may choose it any more). */
    readonly lifecycle?: 'experimental' | 'production' | 'deprecated' | 'retired';
    /** What replaces the capsule, and until when it may be used. */
    readonly deprecation?: {
      /** The capsule to use in its place. */
      readonly replacedBy?: string;
      /** From this day on, depending on it is an error. */
      readonly sunset?: string;
      /** What people who still use it should know. */
      readonly note?: string;
    } | null;
    /** Versions of Capstan that can render it. */
    readonly engine?: string;
    /** What it runs on and upgrades from. */
    readonly compatibility?: {
      /** Versions of Kubernetes that its objects are made for; compared with the fact `kubernetes` of a target. */
      readonly kubernetes?: string;
      /** Processor architectures that its images are built for. */
      readonly architectures?: readonly string[];
      /** Versions that may be upgraded to this one in place; from others a migration or a step in between is needed. */
      readonly upgradesFrom?: string;
      /** What the capsule can do, by name; taking one away needs a new major version. */
      readonly capabilities?: readonly string[];
    };
    /** Files that repeat the version. */
    readonly versionFiles?: readonly {
      /** A JSON or YAML file of the capsule. */
      readonly path: string;
      /** Where in that file the version stands. */
      readonly pointer: string;
    }[];
    /** Children may change extension points only. */
    readonly sealed?: boolean;
    /** Capsules of other repositories, pinned. */
    readonly imports?: {
      readonly [k: string]: {
        /** Address of the other repository. */
        readonly url: string;
        /** The commit that is taken; a branch would move. */
        readonly commit: string;
        /** Directory of the capsule in that repository. */
        readonly path: string;
      };
    };
    /** The capsule that lies below this one. */
    readonly extends?: {
      /** The capsule to build upon. */
      readonly capsule: string;
      /** Its versions that fit. */
      readonly version: string;
    } | null;
    /** What children and environments may add to. */
    readonly extensionPoints?: readonly {
      /** What the point is called in messages. */
      readonly name: string;
      /** The part of spec that others may add to. */
      readonly path: string;
    }[];
    /** Children of a bundle. */
    readonly instances?: {
      readonly [k: string]: {
        /** The capsule that this child is of. */
        readonly capsule: string;
        /** Its versions that fit. */
        readonly version: string;
        /** Configuration of the child, over the defaults of its capsule. */
        readonly config?: JsonObject;
        /** CEL over the configuration of the bundle: the child is there where it holds. */
        readonly when?: string | null;
      };
    };
    /** What is deployed, by name. */
    readonly components?: {
      readonly [k: string]: CapsuleComponent;
    };
    /** What it needs, by local name. */
    readonly dependencies?: {
      readonly [k: string]: CapsuleDependency;
    };
    /** Capsules that cannot be in one environment with this one. */
    readonly conflicts?: readonly {
      /** The capsule that it does not go with. */
      readonly capsule: string;
      /** Which versions of it. */
      readonly version: string;
    }[];
    /** Data that the program reads from outside, by name; for people and for classification. */
    readonly dataSources?: {
      readonly [k: string]: {
        /** Where the data is. */
        readonly uri: string;
        /** How confidential the data is. */
        readonly classification?: 'public' | 'internal' | 'confidential' | 'restricted';
      };
    };
    /** What others can depend on. */
    readonly provides?: {
      readonly [k: string]: {
        /** What is spoken there. */
        readonly protocol: string;
        /** A port number or the name of a declared port. */
        readonly port?: number | string;
        /** Values for dependents; {{name}} and the like are put in. */
        readonly outputs?: {
          readonly [k: string]: string;
        };
        /** OpenAPI description of it, a file of the capsule; taking a path away needs a new major version. */
        readonly openapi?: string;
      };
    };
    /** Typed values beside those of `provides`, for capsules that make infrastructure. */
    readonly outputs?: {
      readonly [k: string]: {
        /** JSON type of the value. */
        readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array';
        /** What the value is. */
        readonly description?: string;
        /** The value is never shown. */
        readonly sensitive?: boolean;
      };
    };
    /** Configuration: shape, defaults, assertions. */
    readonly config?: {
      /** JSON Schema 2020-12: inline, or a file of the capsule. */
      readonly schema?: string | JsonObject;
      /** Lowest layer above the schema defaults. */
      readonly defaults?: JsonObject;
      /** What the merged configuration must fulfil beyond its schema. */
      readonly assertions?: readonly {
        /** CEL over `config`; it has to be true. */
        readonly expression: string;
        /** What to tell people when it is not. */
        readonly message: string;
      }[];
      /** Keys whose change restarts nothing. */
      readonly dynamic?: readonly string[];
    };
    /** Secrets it needs; values come from the environment. */
    readonly secrets?: {
      readonly [k: string]: {
        /** An environment must say where it comes from. */
        readonly required?: boolean;
        /** How often its value should be changed. */
        readonly rotation?: string;
        /** Names of the values inside the secret. */
        readonly keys?: readonly string[];
      };
    };
    /** How templates become objects. */
    readonly render?: {
      /** The template engine. */
      readonly engine?: 'handlebars';
      /** Folder of the templates. */
      readonly path?: string;
      /** Version of the render engine that the templates are written for. */
      readonly engineVersion?: number;
      /** What kind of objects come out. */
      readonly profile?: 'kubernetes';
      /** Capabilities of the render engine that the templates use. */
      readonly capabilities?: readonly string[];
    };
    /** RFC 6902 on rendered objects. */
    readonly patches?: readonly CapsulePatch[];
    /** How a new version replaces the old one. */
    readonly strategy?: {
      /** How a new version takes over. */
      readonly type?: 'rolling' | 'recreate' | 'blueGreen' | 'canary' | 'abTest' | 'shadow';
      /** How many pods may be replaced at a time. */
      readonly rolling?: {
        /** Pods that may run beyond the wanted number, as a number or a share. */
        readonly maxSurge?: number | string;
        /** Pods that may be missing from the wanted number, as a number or a share. */
        readonly maxUnavailable?: number | string;
      };
      /** A growing share of the traffic goes to the new version. */
      readonly canary?: {
        /** What moves the traffic. */
        readonly provider?: 'gateway-api' | 'istio' | 'nginx' | 'replicas' | 'argo-rollouts' | 'flagger' | 'linkerd';
        /** What happens one after the other. */
        readonly steps?: readonly {
          /** Share of the traffic in percent; weights grow from step to step. */
          readonly setWeight?: number;
          /** Wait this long. */
          readonly pause?: string;
          /** Go on only if this analysis succeeds. */
          readonly analysis?: string;
        }[];
      };
      /** The new version runs beside the old one and takes over at once. */
      readonly blueGreen?: JsonObject;
      /** Some users, chosen by a rule, get the new version. */
      readonly abTest?: JsonObject;
      /** The new version gets a copy of the traffic and its answers are dropped. */
      readonly shadow?: JsonObject;
      /** Measurements that decide, by name. */
      readonly analysis?: {
        readonly [k: string]: {
          /** Where the measurement is asked. */
          readonly provider: string;
          /** The question, in the provider's language. */
          readonly query: string;
          /** Time between two measurements. */
          readonly interval?: string;
          /** How often it is measured. */
          readonly count?: number;
          /** CEL over `result`: the measurement is good. */
          readonly success?: string;
          /** More bad measurements than this fail the analysis. */
          readonly failureLimit?: number;
          /** What an answer without data means. */
          readonly onNoData?: 'pass' | 'fail' | 'inconclusive';
        };
      };
      /** A rollout that has not moved for this long has failed. */
      readonly progressDeadline?: string;
    };
    /** When to go back by itself. */
    readonly rollback?: {
      /** A trigger starts the rollback by itself. */
      readonly automatic?: boolean;
      /** What shows that the new version is worse; one is enough. */
      readonly triggers?: readonly {
        /** An event of the rollout. */
        readonly on?: 'verificationFailed' | 'healthDegraded' | 'evalRegression' | 'syncFailed';
        /** It has to last this long. */
        readonly for?: string;
        /** A measurement of the strategy, by name. */
        readonly metric?: string;
        /** It triggers below this value. */
        readonly below?: number;
        /** It triggers above this value. */
        readonly above?: number;
        /** A service level objective, by name. */
        readonly slo?: string;
        /** It triggers when the error budget burns this many times too fast. */
        readonly burnRateAbove?: number;
        /** Time over which the burn rate is measured. */
        readonly window?: string;
      }[];
      /** Which version comes back: the last one that was verified, or simply the previous one. */
      readonly to?: 'lastVerified' | 'previous';
    };
    /** Jobs that change data between versions. */
    readonly migrations?: readonly {
      /** Versions that need it when they are upgraded. */
      readonly from: string;
      /** Component of kind Job that does it. */
      readonly job: string;
      /** The version before can still run afterwards; if not, there is no rollback behind it. */
      readonly reversible?: boolean;
    }[];
    /** Job components that run at these moments. */
    readonly hooks?: {
      /** Job that runs before the objects are applied. */
      readonly preSync?: string;
      /** Job that runs after all of them are healthy. */
      readonly postSync?: string;
      /** Job that runs before the capsule is taken down. */
      readonly preStop?: string;
      /** Job that runs when a version is taken back. */
      readonly onRollback?: string;
    };
    /** What runs after sync, before soak. */
    readonly verification?: {
      /** One look right after the sync. */
      readonly smoke?: {
        /** A request that has to be answered. */
        readonly http?: {
          /** Address of the request; `{{outputs...}}` is filled in. */
          readonly url: string;
          /** HTTP method. */
          readonly method?: string;
          /** Status that the answer must have. */
          readonly expectStatus?: number;
        };
        /** Job that has to succeed, in place of a request. */
        readonly job?: string;
        /** It has failed when it takes longer. */
        readonly timeout?: string;
      } | null;
      /** A request that is repeated during the soak. */
      readonly synthetic?: {
        /** The request. */
        readonly http?: {
          /** Address of the request; `{{outputs...}}` is filled in. */
          readonly url: string;
          /** HTTP method. */
          readonly method?: string;
          /** Status that the answer must have. */
          readonly expectStatus?: number;
        };
        /** Time between two requests. */
        readonly interval?: string;
        /** Share of requests, from 0 to 1, that must succeed. */
        readonly successRate?: number;
      };
      /** Evaluations of agents and models on fixed data. */
      readonly evals?: readonly {
        /** The data that it is evaluated on. */
        readonly dataset: {
          /** Where the data is. */
          readonly uri: string;
          /** Digest of the data: the same questions each time. */
          readonly sha256?: string;
        };
        /** What is measured. */
        readonly metric: string;
        /** The least that is good enough. */
        readonly min?: number;
        /** How much worse than the version before it may be. */
        readonly maxRegression?: number;
      }[];
    };
    /** When the capsule is well. */
    readonly health?: {
      /** Measurements that say how it is. */
      readonly metrics?: {
        /** Measurements of the machine that are watched. */
        readonly system?: readonly string[];
        /** Measurements of the program; each becomes an alert. */
        readonly application?: readonly {
          /** Name of the alert. */
          readonly name: string;
          /** The question in PromQL. */
          readonly query?: string;
          /** The value from which it is a warning. */
          readonly warn?: number;
          /** The value from which it is critical; below `warn`, less is worse. */
          readonly fail?: number;
        }[];
        /** Measurements of what the program is for; each becomes an alert. */
        readonly business?: readonly {
          /** Name of the alert. */
          readonly name: string;
          /** The question in PromQL. */
          readonly query?: string;
          /** The value from which it is a warning. */
          readonly warn?: number;
          /** The value from which it is critical; below `warn`, less is worse. */
          readonly fail?: number;
        }[];
        /** Other measurements; each becomes an alert. */
        readonly custom?: readonly {
          /** Name of the alert. */
          readonly name: string;
          /** The question in PromQL. */
          readonly query?: string;
          /** The value from which it is a warning. */
          readonly warn?: number;
          /** The value from which it is critical; below `warn`, less is worse. */
          readonly fail?: number;
        }[];
      };
      /** What the status of custom resources means, in CEL over apiVersion, kind, metadata, spec and status. */
      readonly expressions?: readonly {
        /** API version of the objects that it speaks of. */
        readonly apiVersion: string;
        /** Kind of the objects that it speaks of. */
        readonly kind: string;
        /** Where this holds the object is healthy. */
        readonly current?: string;
        /** Where this holds the object is on its way. */
        readonly inProgress?: string;
        /** Where this holds the object is broken, whatever else holds. */
        readonly failed?: string;
      }[];
    };
    /** Service level objectives. */
    readonly slo?: {
      /** Objectives that are known by name. */
      readonly profile?: string;
      /**
       * OpenSLO files of the capsule.
       *
       * Items: A path with / between its parts.
       */
      readonly files?: readonly string[];
    };
    /** Who is told what, and when. */
    readonly alerts?: {
      /** Alerts on queries that cross a bound. */
      readonly thresholds?: readonly {
        /** Name of the alert. */
        readonly name: string;
        /** PromQL; {{instance}} and the like are put in. */
        readonly query: string;
        /** It fires above this value. */
        readonly above?: number;
        /** It fires below this value. */
        readonly below?: number;
        /** How long before it counts. */
        readonly for?: string;
        /** How bad it is. */
        readonly severity?: 'info' | 'warning' | 'critical';
        /** What whoever is woken up reads. */
        readonly message?: string;
      }[];
      /** Who is told, one after the other. */
      readonly escalation?: readonly {
        /** How long after the alert began. */
        readonly after: string;
        /** Whom to tell. */
        readonly to: string;
      }[];
      /** What to do about it: a file of the capsule. */
      readonly runbook?: string;
    };
    /** How the program can be watched. */
    readonly observability?: {
      /** Where Prometheus finds its measurements. */
      readonly scrape?: {
        /** A port number or the name of a declared port. */
        readonly port: number | string;
        /** Path of the measurements. */
        readonly path?: string;
      };
      /** What its logs are like. */
      readonly logs?: {
        /** Form of a line. */
        readonly format?: 'json' | 'text';
        /** How long logs should be kept. */
        readonly retention?: string;
      };
      /** Whether it sends traces. */
      readonly traces?: {
        /** It sends traces by OTLP. */
        readonly otlp?: boolean;
      };
      /**
       * Grafana dashboards: JSON files of the capsule.
       *
       * Items: A path with / between its parts.
       */
      readonly dashboards?: readonly string[];
    };
    /** What the capsule speaks with agents: the Model Context Protocol (mcp), Agent2Agent (a2a), and bridges between them. */
    readonly protocols?: {
      /** MCP servers that this capsule runs, and MCP servers of its dependencies that it calls. */
      readonly mcp?: {
        /** Servers that this capsule runs, by name. */
        readonly servers?: {
          readonly [k: string]: CapsuleMcpServer;
        };
        /** Servers of dependencies that this capsule calls, by a name of its own. */
        readonly clients?: {
          readonly [k: string]: CapsuleMcpClient;
        };
      } | null;
      /** What this capsule says of itself to other agents (A2A 1.0). */
      readonly a2a?: {
        /** The agent card as A2A 1.0 defines it: name, description, version, capabilities, input and output modes, skills, supportedInterfaces. */
        readonly card?: JsonObject;
        /**
         * Interfaces of the agent (url, protocolBinding, protocolVersion) where the card has no supportedInterfaces of its own.
         *
         * Items: Any JSON object.
         */
        readonly interfaces?: readonly JsonObject[];
      } | null;
      /** Tools of one protocol offered as skills of the other, by name. */
      readonly bridges?: {
        readonly [k: string]: {
          readonly from: CapsuleBridgeEnd;
          readonly to: CapsuleBridgeEnd;
          /** Which tool is which skill; both must exist in the versions that are locked. */
          readonly mapping?: readonly {
            /** Name of an MCP tool. */
            readonly tool: string;
            /** Id of an A2A skill. */
            readonly skill: string;
          }[];
        };
      };
    };
    /** What kind of agent the capsule is, and how freely it acts. */
    readonly agent?: {
      /** What runs it: a container of this capsule, or kagent. */
      readonly runtime?: 'kagent' | 'container';
      /** What the agent is told to do. */
      readonly instructions?: string;
      /** Tools that it may use: names of tools, or of clients and servers below protocols.mcp for all their tools. */
      readonly tools?: readonly string[];
      /** Settings of its memory, for its runtime. */
      readonly memory?: JsonObject;
      /** Who approves what the agent wants to do. */
      readonly approvals?: {
        /** How many people must approve. */
        readonly required?: number;
        /**
         * Teams whose members may approve.
         *
         * Items: RFC 1123 label of at most 40 characters.
         */
        readonly teams?: readonly string[];
      };
      /** manual: it proposes; supervised: people can stop it; autonomous: it acts alone. */
      readonly autonomy?: 'manual' | 'supervised' | 'autonomous';
    } | null;
    /** Models that the capsule uses or provides, by name. */
    readonly models?: {
      /** One model, pinned by digest. */
      readonly [k: string]: {
        /** Where the model is, such as hf:acme/greet-7b. */
        readonly ref: string;
        /** Digest of its content: sha256: and 64 hex digits. */
        readonly digest?: string;
        /** When and how a newer model takes its place. */
        readonly updatePolicy?: {
          /** How often a newer one is looked for, such as weekly. */
          readonly frequency?: string;
          /** Whether it is taken without a person; true where this policy is present. */
          readonly automatic?: boolean;
          /** Evaluations that a newer model must pass first. */
          readonly validation?: readonly {
            /** Name of the evaluation. */
            readonly eval?: string;
          }[];
          /** Values at which the model before it comes back. */
          readonly rollbackThreshold?: readonly {
            /** A metric below health.metrics, verification.evals or strategy.analysis. */
            readonly metric: string;
            /** Rolls back under this value. */
            readonly below?: number;
            /** Rolls back over this value. */
            readonly above?: number;
          }[];
          /** How long the thresholds are watched after an update; at least two intervals of each metric. */
          readonly monitoringPeriod?: string;
        };
      };
    };
    /** What it may cost. */
    readonly cost?: {
      /** The most that it may cost, in each environment. */
      readonly budget?: {
        /** A day. */
        readonly daily?: number;
        /** A month. */
        readonly monthly?: number;
        /** A year. */
        readonly annual?: number;
        /** Currency of the amounts (ISO 4217); that of the project's prices. */
        readonly currency?: string;
      };
      /** Who is told at which share of the budget. */
      readonly alertThresholds?: readonly {
        /** Share of the budget in percent. */
        readonly percent: number;
        /** Whom to tell. */
        readonly notify?: string;
      }[];
      /** Proposals for spending less. */
      readonly optimizationRules?: readonly {
        /** CEL over what was measured. */
        readonly if?: string;
        /** It has to hold this long. */
        readonly for?: string;
        /** What is proposed then. */
        readonly propose?: string;
      }[];
      /** How far estimate and bill may be apart. */
      readonly variance?: {
        /** Difference in percent. */
        readonly maxPercent?: number;
      };
    };
    /** Risk and evidence. */
    readonly security?: {
      /** Risk that lies in the capsule itself; the environment may add to it. */
      readonly risk?: 'low' | 'medium' | 'high' | 'critical';
      /** The most confidential data that it works on. */
      readonly dataClassification?: 'public' | 'internal' | 'confidential' | 'restricted';
      /** Rules of others that it has to obey, by name. */
      readonly compliance?: readonly string[];
      /** Who must have signed a release. */
      readonly signatures?: {
        /** A release without a signature does not enter. */
        readonly required?: boolean;
        /**
         * Trust entries that may sign it.
         *
         * Items: RFC 1123 label of at most 40 characters.
         */
        readonly identities?: readonly string[];
      };
      /** List of what is in it. */
      readonly sbom?: {
        /** A release without one does not enter. */
        readonly required?: boolean;
        /** Form of the list. */
        readonly format?: 'cyclonedx' | 'spdx';
      };
      /** Proof of how it was built. */
      readonly provenance?: {
        /** Lowest SLSA build level that will do. */
        readonly minSlsaLevel?: number;
      };
      /** Known weaknesses that it may have. */
      readonly vulnerabilities?: {
        /** The worst that may be known of it. */
        readonly maxSeverity?: 'low' | 'medium' | 'high' | 'critical';
        /** Weaknesses that are accepted for a time. */
        readonly allow?: readonly {
          /** Identifier of the weakness. */
          readonly id: string;
          /** From this day on it counts again. */
          readonly until: string;
          /** Why it is accepted. */
          readonly reason: string;
        }[];
      };
    };
  };
}
/** One thing that is deployed. */
export interface CapsuleComponent {
  /** What it is deployed as. */
  readonly kind:
    | 'Deployment'
    | 'StatefulSet'
    | 'DaemonSet'
    | 'Job'
    | 'CronJob'
    | 'Function'
    | 'VirtualMachine'
    | 'Binary'
    | 'Static'
    | 'Helm'
    | 'Kustomize'
    | 'Manifests'
    | 'Terraform'
    | 'Pulumi'
    | 'CloudFormation'
    | 'Arm'
    | 'Ansible'
    | 'Puppet'
    | 'Chef'
    | 'Salt'
    | 'Exec'
    | 'External';
  /** Its objects are named like the instance, without the component. */
  readonly primary?: boolean;
  /** Container image, best as name@sha256:digest. */
  readonly image?: string;
  /** Where kinds without an image come from. */
  readonly source?: {
    /** File or folder of the capsule: manifests, a chart (folder or .tgz) or a kustomization. */
    readonly path?: string;
    /** Name of the chart that lies at path. */
    readonly chart?: string;
    /** Chart repository the chart was taken from. */
    readonly repo?: string;
    /** Address the chart was taken from. */
    readonly url?: string;
    /** Version of the chart that lies at path. */
    readonly version?: string;
    /** Digest of the chart archive that lies at path. */
    readonly sha256?: string;
    /** How changes are looked at before they are applied. */
    readonly plan?: JsonObject;
    /** Exact version of helm or kustomize that renders it. */
    readonly tool?: string;
    /**
     * API versions that a chart may take for granted, such as monitoring.coreos.com/v1.
     *
     * @maxItems 200
     */
    readonly apiVersions?: readonly string[];
    /** Helm hooks that are left out on purpose. */
    readonly skipHooks?: readonly ('pre-delete' | 'post-delete' | 'pre-rollback' | 'post-rollback')[];
  } | null;
  /** Values of a Helm chart; { config: POINTER } takes one of the configuration, {{config.x}} is put into strings. Default: the whole configuration. */
  readonly values?: JsonObject;
  /** Program to run in place of the image's own. */
  readonly command?: readonly string[];
  /** Arguments; {{name}}, {{config.x}} and the like are put in. */
  readonly args?: readonly string[];
  /** Environment variables. */
  readonly env?: {
    readonly [k: string]: CapsuleEnvironmentVariable;
  };
  /** Files inside the container, by absolute path. */
  readonly files?: {
    readonly [k: string]: {
      /** Template of this capsule. */
      readonly template?: string;
      /** File of this capsule, taken as it is. */
      readonly file?: string;
    };
  };
  /** Where storage is mounted. */
  readonly volumes?: {
    readonly [k: string]: {
      /** Where it appears in the container. */
      readonly mountPath: string;
      /** Name below storage. */
      readonly storage: string;
      /** The program cannot write to it. */
      readonly readOnly?: boolean;
    };
  };
  /** Ports that the component listens on. */
  readonly ports?: {
    readonly [k: string]: {
      /** Number of the port. */
      readonly port: number;
      /** Protocol of the port. */
      readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
      /** Who can reach it. */
      readonly expose?: 'none' | 'internal' | 'public';
    };
  };
  /** How it is known to be alive and ready. */
  readonly probes?: {
    readonly startup?: CapsuleProbe;
    readonly liveness?: CapsuleProbe;
    readonly readiness?: CapsuleProbe;
  };
  /** What it requests and may use. */
  readonly resources?: {
    /** Processor time; request, limit and burst rise in this order. */
    readonly cpu?: {
      /** What is set aside for it. */
      readonly request?: string | number;
      /** What it may use for long. */
      readonly limit?: string | number;
      /** What it may use for a moment; the limit of the container. */
      readonly burst?: string | number;
    };
    /** Memory; request and buffer together stay within the limit. */
    readonly memory?: {
      /** What it usually uses. */
      readonly request?: string | number;
      /** A container that uses more is ended. */
      readonly limit?: string | number;
      /** What is set aside beyond the request. */
      readonly buffer?: string | number;
    };
    /** Devices by resource name, with their number. */
    readonly accelerators?: {
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly [k: string]: string | number;
    };
  };
  /** Storage that volumes mount. */
  readonly storage?: {
    readonly [k: string]: {
      /** persistent outlives the pod, ephemeral does not. */
      readonly type: 'persistent' | 'ephemeral';
      /** How much room there is. */
      readonly size?: string | number;
      /** Storage class of the cluster; its default without one. */
      readonly class?: string;
      /** Who may mount it at a time. */
      readonly access?: 'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod';
      /** A VolumeSnapshot is taken before a new version starts. */
      readonly snapshotBeforeUpgrade?: boolean;
    };
  };
  /** How many replicas run. */
  readonly scaling?: {
    /** A number, or where the configuration has it. */
    readonly replicas?:
      | number
      | {
          /** Pointer or dotted name in the merged configuration. */
          readonly config: string;
        };
    /** Scales the number of replicas. */
    readonly horizontal?: {
      /** The fewest pods. */
      readonly min: number;
      /** The most pods. */
      readonly max: number;
      /** Room that is kept for more load, as a share. */
      readonly buffer?: string;
      /** What the number of pods follows. */
      readonly metrics?: readonly {
        /** The resource that is measured. */
        readonly resource: 'cpu' | 'memory';
        /** Share of its request, in percent, that is aimed at. */
        readonly targetUtilization: number;
      }[];
      /** How calmly it follows. */
      readonly behavior?: {
        /** Pods go only when nobody needed them for this long. */
        readonly scaleDownStabilization?: string;
        /** Pods come only when they were needed for this long. */
        readonly scaleUpStabilization?: string;
      };
    };
    /** Scales requests. */
    readonly vertical?: {
      /** off; initial sets requests when a pod starts; auto also restarts pods for it. */
      readonly mode?: 'off' | 'initial' | 'auto';
    };
    /** The fewest pods by time of day; each entry holds until the next one. */
    readonly schedule?: readonly {
      /** When it begins, as cron has it. */
      readonly cron: string;
      /** Time zone of the schedule; one for all entries. */
      readonly timeZone?: string;
      /** The fewest pods from then on. */
      readonly min?: number;
      /** The most pods from then on. */
      readonly max?: number;
    }[];
    /** How the cluster makes room. */
    readonly cluster?: {
      /** Priority class of the pods. */
      readonly priority?: string;
      /** Pods that hold room free and give way. */
      readonly placeholderReplicas?: number;
    };
  };
  /** How much of it may be missing. */
  readonly availability?: {
    /** How many pods may be taken away on purpose at a time; one of the two. */
    readonly disruptionBudget?: {
      /** At most this many are missing. */
      readonly maxUnavailable?: number | string;
      /** At least this many stay. */
      readonly minAvailable?: number | string;
    };
    /** Pods are spread over nodes or zones. */
    readonly spread?: 'none' | 'node' | 'zone';
    /** They are spread over at least this many zones. */
    readonly minZones?: number;
    /** The pods elect one of them; at least two are needed. */
    readonly leaderElection?: boolean;
    /**
     * Targets that take over when this one is lost.
     *
     * Items: Any JSON value.
     */
    readonly failover?: readonly Json[];
  };
  /** Where it can run. */
  readonly placement?: {
    /** Where it makes sense to run it. */
    readonly tiers?: readonly ('cloud' | 'edge')[];
    /** Facts that a target must have; a list means one of. */
    readonly requires?: {
      /** A fact, or a list of facts of which one is enough. */
      readonly [k: string]: string | number | boolean | readonly (string | number | boolean)[];
    };
    /** Facts of nodes that are preferred, each with the values that will do. */
    readonly prefers?: {
      /** A fact, or a list of facts of which one is enough. */
      readonly [k: string]: string | number | boolean | readonly (string | number | boolean)[];
    };
  };
  /** What the process may do. */
  readonly security?: {
    /** It never runs as root. */
    readonly runAsNonRoot?: boolean;
    /** User id that it runs as. */
    readonly runAsUser?: number;
    /** Group id that it runs as. */
    readonly runAsGroup?: number;
    /** Group id that owns its volumes. */
    readonly fsGroup?: number;
    /** It has all powers of the node. */
    readonly privileged?: boolean;
    /** It can write to its volumes only. */
    readonly readOnlyRootFilesystem?: boolean;
    /** It may gain more rights than it was started with. */
    readonly allowPrivilegeEscalation?: boolean;
    /** Powers of the Linux kernel. */
    readonly capabilities?: {
      /** Powers that are taken away; ALL is every one. */
      readonly drop?: readonly string[];
      /** Powers that are given. */
      readonly add?: readonly string[];
    };
    /** Which system calls it may make. */
    readonly seccomp?: 'RuntimeDefault' | 'Unconfined';
    /** Who it is to the cluster. */
    readonly serviceAccount?: {
      /** An account of its own is made. */
      readonly create?: boolean;
      /** An account that is there already. */
      readonly name?: string;
      /** What the account may do, as RBAC has it. */
      readonly rules?: readonly {
        /** Groups of the resources; "" is the core group. */
        readonly apiGroups?: readonly string[];
        /** Resources in the plural. */
        readonly resources?: readonly string[];
        /** What may be done with them. */
        readonly verbs: readonly string[];
        /** Only objects of these names. */
        readonly resourceNames?: readonly string[];
      }[];
    };
  };
  /** Who talks to whom. */
  readonly network?: {
    /** Instances that may call it. */
    readonly ingressFrom?: readonly string[];
    /** Instances, or dependency:NAME, that it may call. */
    readonly egressTo?: readonly string[];
    /** CIDR blocks outside that it may call. */
    readonly externalEgress?: readonly string[];
  };
  /** How callers treat it. */
  readonly resilience?: {
    /** A request that takes longer has failed. */
    readonly timeout?: string;
    /** Requests that are tried again. */
    readonly retries?: {
      /** How often. */
      readonly attempts?: number;
      /** After which failures. */
      readonly on?: readonly string[];
    };
    /** Pods that fail get no traffic for a while. */
    readonly circuitBreaker?: {
      /** So many failures in a row. */
      readonly consecutiveErrors?: number;
      /** For this long. */
      readonly ejectFor?: string;
    };
  };
  /**
   * Components of this capsule that start first.
   *
   * Items: RFC 1123 label of at most 40 characters.
   */
  readonly startAfter?: readonly string[];
  /** How it is stopped. */
  readonly stop?: {
    /** Time that it has to end by itself. */
    readonly gracePeriod?: string;
    /** What happens before it is asked to end; one of the three. */
    readonly preStop?: null | {
      /** A program inside the container. */
      readonly exec?: {
        /** The program with its arguments. */
        readonly command: readonly string[];
      };
      /** A request to the container. */
      readonly httpGet?: {
        /** A port number or the name of a declared port. */
        readonly port: number | string;
        /** Path of the request. */
        readonly path?: string;
      };
      /** Just wait. */
      readonly sleep?: string;
    };
    /** reverse stops what started last first. */
    readonly order?: 'reverse' | 'none';
  };
  /** When a CronJob runs. */
  readonly schedule?: {
    /** When it runs, as cron has it. */
    readonly cron: string;
    /** Time zone of the schedule. */
    readonly timeZone?: string;
    /** What happens when the run before is still going on. */
    readonly concurrency?: 'Allow' | 'Forbid' | 'Replace';
  };
}
/** Where the value comes from. */
export interface CapsuleEnvironmentVariable {
  /** The value itself. */
  readonly value?: string;
  /** Pointer or dotted name in the merged configuration. */
  readonly config?: string;
  /** Dependency whose output is wanted. */
  readonly dependency?: string;
  /** Output of that dependency. */
  readonly output?: string;
  /** Secret below spec.secrets. */
  readonly secret?: string;
  /** Key of the secret. */
  readonly key?: string;
  /** CEL: the variable is there where this holds; `capabilities.<dependency>` guards an optional dependency. */
  readonly when?: string;
}
export interface CapsuleProbe {
  /** A request that must be answered with success. */
  readonly httpGet?: {
    /** A port number or the name of a declared port. */
    readonly port: number | string;
    /** Path of the request. */
    readonly path?: string;
    /** http or https. */
    readonly scheme?: 'HTTP' | 'HTTPS';
  };
  /** A connection that must be possible. */
  readonly tcp?: {
    /** A port number or the name of a declared port. */
    readonly port: number | string;
  };
  /** A gRPC health check. */
  readonly grpc?: {
    /** A port number or the name of a declared port. */
    readonly port: number | string;
    /** Service that is asked about. */
    readonly service?: string;
  };
  /** A program in the container that must end with 0. */
  readonly exec?: {
    /**
     * The program with its arguments.
     *
     * @minItems 1
     */
    readonly command: readonly string[];
  };
  /** Wait this long before the first look. */
  readonly initialDelaySeconds?: number;
  /** Time between two looks. */
  readonly periodSeconds?: number;
  /** A look that takes longer has failed. */
  readonly timeoutSeconds?: number;
  /** So many failures in a row count. */
  readonly failureThreshold?: number;
  /** So many successes in a row count. */
  readonly successThreshold?: number;
}
/** One thing that the capsule needs. */
export interface CapsuleDependency {
  /** The capsule that is needed. */
  readonly capsule?: string;
  /** Abstract type; the environment has a recipe for it. */
  readonly type?: string;
  /** Service outside of this repository. */
  readonly service?: string;
  /** Its versions that fit. */
  readonly version?: string;
  /** Missing: capabilities.<name> is false. */
  readonly optional?: boolean;
  /** CEL over the configuration: it is needed where this holds. */
  readonly when?: string | null;
  /** What it has to be before this capsule starts. */
  readonly condition?: 'started' | 'healthy' | 'completed';
  /** false: a private instance <instance>.<dependency>. */
  readonly shared?: boolean;
  /** It runs somewhere else; only its contract is known here. */
  readonly external?: boolean;
  /** What its provides must match. */
  readonly requires?: {
    /** Protocol that it must provide. */
    readonly protocol?: string;
  };
}
export interface CapsulePatch {
  /** The objects that are changed: those that all of it fits. */
  readonly target: {
    /** Kind of the objects. */
    readonly kind?: string;
    /** Name of the object. */
    readonly name?: string;
    /** API group of the objects. */
    readonly group?: string;
  };
  /**
   * What is changed, one after the other (RFC 6902).
   *
   * @minItems 1
   */
  readonly ops: readonly {
    /** What is done. */
    readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
    /** Where in the object. */
    readonly path: string;
    /** Where the value of move and copy comes from. */
    readonly from?: string;
    /** The value of add, replace and test. */
    readonly value?: Json;
  }[];
}
/** One MCP server that the capsule runs. */
export interface CapsuleMcpServer {
  /** Name in the MCP registry, reverse-DNS with one slash, such as io.github.acme/greeter-tools. It means that the server will be published. */
  readonly registryName?: string;
  /** How clients reach the server. */
  readonly transport: {
    /** streamable-http, stdio, or the outdated sse. */
    readonly type: 'streamable-http' | 'sse' | 'stdio';
    /** A port number or the name of a declared port. */
    readonly port?: number | string;
    /** Path of the endpoint, such as /mcp. */
    readonly path?: string;
    /** Command that starts a stdio server. */
    readonly command?: readonly string[];
  };
  /**
   * Revisions of MCP that the server speaks, such as 2026-07-28 and 2025-11-25.
   *
   * @minItems 1
   */
  readonly protocolVersions?: readonly string[];
  /** Tools that the server offers, by name. */
  readonly tools?: {
    readonly [k: string]: {
      /** How much harm a call can do; every tool has one. */
      readonly risk?: 'low' | 'medium' | 'high' | 'critical';
      /** Whether a person must approve each call; tools of risk high and critical need it. */
      readonly requireApproval?: boolean;
      /** What the tool does, for agents. */
      readonly description?: string;
      /** JSON Schema of the arguments. */
      readonly inputSchema?: JsonObject;
    };
  };
  /** How clients prove who they are. */
  readonly auth?: {
    /** none, oauth2 or mtls. */
    readonly type?: 'none' | 'oauth2' | 'mtls';
    /** Resource identifier for OAuth tokens. */
    readonly resource?: string;
  };
}
/** One MCP server of a dependency that the capsule calls. */
export interface CapsuleMcpClient {
  /** Local name of the dependency that runs the server. */
  readonly dependency: string;
  /** Name of the server in that capsule. */
  readonly server: string;
  /** Revisions of MCP that the client speaks. */
  readonly protocolVersions?: readonly string[];
  /** Tools that may be called; all of them without this list. */
  readonly tools?: readonly string[];
  /** Tools that a person must approve for this client, beside those that the server says. */
  readonly requireApproval?: readonly string[];
}
/** A protocol, and the dependency that speaks it; this capsule itself without one. */
export interface CapsuleBridgeEnd {
  /** mcp or a2a. */
  readonly protocol: 'mcp' | 'a2a';
  /** Local name of the dependency; absent: this capsule itself. */
  readonly dependency?: string;
}

/** policies/*.yaml: rules in CEL with their own tests. */
export interface Policy {
  /** Version of this format. */
  readonly apiVersion: 'capstan.dev/v1alpha1';
  /** Kind of this declaration. */
  readonly kind: 'Policy';
  /** Identity of the declaration. */
  readonly metadata: {
    /** Name of the policy; environments refer to it. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels of the policy. */
    readonly labels?: {
      readonly [k: string]: string;
    };
    /** Free notes: names to texts. */
    readonly annotations?: {
      readonly [k: string]: string;
    };
  };
  /** What must be true. */
  readonly spec: {
    /**
     * Where it is judged.
     *
     * @minItems 1
     */
    readonly on: readonly ('pullRequest' | 'promotion' | 'render' | 'reconcile' | 'device')[];
    /** What it is about; nothing said means everything. */
    readonly match?: {
      readonly environments?: PolicySelector;
      readonly capsules?: PolicySelector;
      /** Objects that it is about, where it looks at what is rendered. */
      readonly objects?: readonly {
        /** API groups; "" is the core group, * every one. */
        readonly apiGroups?: readonly string[];
        /** Kinds; * is every one. */
        readonly kinds?: readonly string[];
      }[];
    };
    /** Values that expressions share, each over those before it. */
    readonly variables?: readonly {
      /** Name: `variables.<name>` in expressions. */
      readonly name: string;
      /** CEL that gives the value. */
      readonly expression: string;
    }[];
    /**
     * What has to hold; all of it.
     *
     * @minItems 1
     */
    readonly validations: readonly {
      /** True when all is well. */
      readonly expression: string;
      /** What to tell people when it does not. */
      readonly message?: string;
      /** CEL that gives this text. */
      readonly messageExpression?: string;
      /** One word for machines. */
      readonly reason?: string;
    }[];
    /** What happens when it does not hold: deny stops, warn tells, audit writes it down. */
    readonly enforcement?: 'deny' | 'warn' | 'audit';
    /** What an expression without an answer counts as: fail denies, ignore does not. */
    readonly failurePolicy?: 'fail' | 'ignore';
    /** What it does not hold for, for a time. */
    readonly exceptions?: readonly {
      /** What is excepted: all of it has to fit. */
      readonly match: {
        /** Kind of change. */
        readonly change?: string;
        /** Environment. */
        readonly environment?: string;
        /** Capsule. */
        readonly capsule?: string;
      };
      /** From this day on it holds again. */
      readonly until: string;
      /** Who decided it. */
      readonly approvedBy?: string;
      /** Where it was discussed. */
      readonly ticket?: string;
    }[];
    /** Its own cases: at least one that passes and one that does not; `validate` runs them. */
    readonly tests?: readonly {
      /** What the case shows. */
      readonly name: string;
      /** Values that expressions see. */
      readonly input: JsonObject;
      /** What the policy must say. */
      readonly expect: 'deny' | 'allow' | 'warn';
    }[];
    /** Forms in which a cluster can enforce it itself. */
    readonly export?: readonly ('kyverno' | 'vap')[];
  };
}
/** Chooses by labels; an empty one chooses all. */
export interface PolicySelector {
  /** Everything that has all of these labels. */
  readonly matchLabels?: {
    readonly [k: string]: string;
  };
}

/** environments/<env>/fleets/<fleet>.yaml: devices that are served together. */
export interface Fleet {
  /** Version of this format. */
  readonly apiVersion: 'capstan.dev/v1alpha1';
  /** Kind of this declaration. */
  readonly kind: 'Fleet';
  /** Identity of the declaration. */
  readonly metadata: {
    /** Name of the fleet, unique in its environment. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels of the fleet. */
    readonly labels?: {
      readonly [k: string]: string;
    };
    /** Free notes: names to texts. */
    readonly annotations?: {
      readonly [k: string]: string;
    };
  };
  /** Which devices, and how they are served. */
  readonly spec: {
    readonly selector?: FleetSelector;
    /**
     * Devices that belong to it, by name.
     *
     * Items: RFC 1123 label of at most 40 characters.
     */
    readonly devices?: readonly string[];
    /** Devices that come from a list. */
    readonly generator?: {
      /** File of the list. */
      readonly file: string;
    };
    /** Layer of the fleet. */
    readonly capsules?: {
      readonly [k: string]: {
        /** Configuration layer; merged by RFC 7396. */
        readonly config?: JsonObject;
      };
    };
    /** In which order devices get a change. */
    readonly rollout?: {
      /** Groups of devices, one after the other; the last one takes all that are left. */
      readonly waves?: readonly {
        /** Name of the wave. */
        readonly name: string;
        /** How many devices. */
        readonly devices: {
          /** This many. */
          readonly count?: number;
          /** This share of all, in percent. */
          readonly percent?: number;
        };
        /** How long it is watched before the next. */
        readonly soak?: string;
        /** Share of devices that must be well. */
        readonly successThreshold?: string;
        /** Devices that may be away at a time. */
        readonly maxUnavailable?: number | string;
      }[];
      /** When to stop. */
      readonly abort?: {
        /** Share of failures, in percent. */
        readonly failurePercent?: number;
        /** What a device that does not answer counts as. */
        readonly offlineCountsAs?: 'pending' | 'failed';
      };
      /** How a device changes to the new version. */
      readonly strategy?: 'replace' | 'ab-slots' | 'blueGreen';
    };
    /** How devices get what they run. */
    readonly delivery?: {
      /** By which way. */
      readonly transport?: 'https-pull' | 'git' | 'usb-bundle';
      /** What is sent. */
      readonly bundle?: {
        /** Only what changed is sent. */
        readonly delta?: boolean;
        /** How it is compressed. */
        readonly compression?: 'zstd' | 'gzip' | 'none';
        /** A larger bundle is refused. */
        readonly maxBytes?: string | number;
        /** Images are in it, too. */
        readonly includeImages?: boolean;
      };
      /** How often devices ask. */
      readonly pollInterval?: string;
      /** Share by which times differ, so that not all ask at once. */
      readonly jitter?: string;
      /** How much of the line it may use. */
      readonly bandwidth?: {
        /** The most in an hour. */
        readonly maxBytesPerHour?: string | number;
        /** What to do on a line that is paid by volume. */
        readonly metered?: 'avoid' | 'allow' | 'deny';
      };
      /** When devices may fetch. */
      readonly window?: {
        /** When it opens, as hours and minutes. */
        readonly start: string;
        /** How long it stays open. */
        readonly duration: string;
        /** Time zone, or `device` for that of each device. */
        readonly timeZone?: string;
      };
    };
    /** What happens without a line. */
    readonly offline?: {
      /** Devices go on by themselves. */
      readonly autonomous?: boolean;
      /** How old what they run may become. */
      readonly maxStaleness?: string;
      /** What happens then. */
      readonly onStale?: 'keep' | 'degrade' | 'stop';
    };
    /** What devices tell. */
    readonly reporting?: {
      /** How often. */
      readonly interval?: string;
      /** About what. */
      readonly include?: readonly ('versions' | 'health' | 'disk' | 'logs')[];
    };
  };
}
/** Chooses by labels; an empty one chooses all. */
export interface FleetSelector {
  /** Everything that has all of these labels. */
  readonly matchLabels?: {
    readonly [k: string]: string;
  };
}

/** environments/<env>/devices/<device>.yaml: one device of a fleet. */
export interface Device {
  /** Version of this format. */
  readonly apiVersion: 'capstan.dev/v1alpha1';
  /** Kind of this declaration. */
  readonly kind: 'Device';
  /** Identity of the declaration. */
  readonly metadata: {
    /** Name of the device, unique in its environment. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels that fleets select by. */
    readonly labels?: {
      readonly [k: string]: string;
    };
    /** Free notes: names to texts. */
    readonly annotations?: {
      readonly [k: string]: string;
    };
  };
  /** One device. */
  readonly spec: {
    /** Where it is in its life; only active devices get anything new. */
    readonly state: 'pending' | 'provisioned' | 'active' | 'quarantined' | 'retired';
    /** How the device proves who it is. */
    readonly identity?: {
      /** Public key, SPKI DER in base64. */
      readonly ed25519: string;
      /** The change that brought it in. */
      readonly registeredBy?: string;
    } | null;
    /** How it may register, before it has. */
    readonly join?: {
      /** Digest of the token that it registers with. */
      readonly tokenSha256: string;
      /** The token is worth nothing afterwards. */
      readonly expires: string;
    } | null;
    /** What it is made of. */
    readonly hardware?: {
      /** Processor architecture. */
      readonly arch?: string;
      /** Processors. */
      readonly cpu?: string | number;
      /** Memory. */
      readonly memory?: string | number;
      /** Room for data. */
      readonly storage?: string | number;
      /** Devices by resource name, with their number. */
      readonly accelerators?: {
        /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
        readonly [k: string]: string | number;
      };
    };
    /** What runs workloads on it. */
    readonly runtime?: 'podman' | 'docker-compose' | 'k3s' | 'systemd' | 'firmware-ab';
    /** Where it stands. */
    readonly location?: {
      /** Name of the place. */
      readonly site?: string;
      /** Time zone of the place, for windows in local time. */
      readonly timeZone?: string;
    };
    /** Stays at one version until somebody lets go. */
    readonly hold?: {
      /** The capsule that is held. */
      readonly capsule: string;
      /** The version that it stays at. */
      readonly version?: string;
      /** Why. */
      readonly reason: string;
      /** When it ends by itself. */
      readonly until?: string;
    } | null;
    /** Last layer. */
    readonly overrides?: {
      readonly [k: string]: {
        /** Configuration layer; merged by RFC 7396. */
        readonly config?: JsonObject;
      };
    };
  };
}

/** capstan.yaml: configuration of the service. */
export interface ServiceConfiguration {
  /** Version of this format. */
  readonly apiVersion: 'capstan.dev/v1alpha1';
  /** What this document is. */
  readonly kind: 'Configuration';
  /** The repository that is reconciled. */
  readonly repository: {
    /** Where the repository is cloned from and pushed to. */
    readonly url: string;
    /** Default: main. */
    readonly branch?: string;
  };
  /** How registries of images and artifacts are reached. Logins stay in docker's own configuration. */
  readonly registries?: {
    /** Where capsules lie as artifacts, as registry/path; each lies below it in a repository of its own name. Their signatures are looked for there, too. */
    readonly capsules?: string;
    /** Folder of docker's config.json; without it DOCKER_CONFIG, else ~/.docker. */
    readonly dockerConfig?: string;
    /**
     * Registries (host and port) that may be spoken to without TLS where they have none; this machine itself always may.
     *
     * @maxItems 100
     */
    readonly allowHttp?: readonly string[];
    /** By registry (host and port): where copies of it stand. They are only read, and asked before it. */
    readonly mirrors?: {
      readonly [k: string]: {
        /**
         * Hosts, with a path where the mirror keeps the repositories below one, in the order in which they are asked.
         *
         * @minItems 1
         * @maxItems 8
         */
        readonly at: readonly string[];
        /** The registry itself is never asked. */
        readonly only?: boolean;
      };
    };
  };
  /** Where capsules of other repositories may come from. */
  readonly imports?: {
    /**
     * Addresses that begin with one of these are fetched for pull requests, too; a path of this machine is imported from only if it stands here.
     *
     * @maxItems 100
     */
    readonly from?: readonly string[];
  };
  /** The forge; log in by app or by token. */
  readonly forge?: {
    /** What kind of forge it is. */
    readonly type: 'github';
    /** REST root, such as https://api.github.com. */
    readonly baseUrl?: string;
    /** Log in as a GitHub App. */
    readonly app?: {
      /** Number of the app. */
      readonly id: number;
      /** Number of its installation. */
      readonly installation: number;
      readonly privateKey: ServiceConfigurationSecret;
    };
    readonly token?: ServiceConfigurationSecret;
    readonly webhookSecret?: ServiceConfigurationSecret;
    readonly previousWebhookSecret?: ServiceConfigurationSecret;
  };
  /** What the service offers. */
  readonly server?: {
    /** HOST:PORT. */
    readonly listen?: string;
    /** Address under which the forge reaches it. */
    readonly publicUrl?: string;
  };
  /** Where deliveries wait until they are worked on. */
  readonly store?: {
    /** File of a SQLite database. */
    readonly sqlite?: string;
    readonly postgres?: ServiceConfigurationSecret;
  };
  /** Who the engine is. */
  readonly identity?: {
    /** Key that its commits are signed with. */
    readonly signingKey: {
      /** File of an unencrypted OpenSSH key; made on first start. */
      readonly file?: string;
      /** A key that an SSH agent holds. */
      readonly agent?: {
        /** The key, as its .pub file has it: type and base64 text. */
        readonly publicKey: string;
        /** Socket of the agent; else the one that SSH_AUTH_SOCK names. */
        readonly socket?: string;
      };
      /** A key of a token: a hardware security module, a smart card, SoftHSM. */
      readonly pkcs11?: {
        /** Library of the token's maker. */
        readonly module: string;
        /** The key, as its .pub file has it: type and base64 text. */
        readonly publicKey: string;
        readonly pin: ServiceConfigurationSecret;
      };
    };
    /** Name in its commits. */
    readonly name?: string;
    /** Address in its commits. */
    readonly email?: string;
  };
  /** When it looks by itself. */
  readonly schedule?: {
    /** How often the repository is asked for what is new. */
    readonly poll?: string;
    /** How often targets are compared where the environment does not say it. */
    readonly drift?: string;
    /** Share by which times differ, so that not everything wakes at once. */
    readonly jitter?: string;
  };
  /** How targets are reached, by the names that environments use. */
  readonly credentials?: {
    readonly [k: string]: {
      /** A kubeconfig. */
      readonly kubeconfig?: {
        /** Its file. */
        readonly file: string;
      };
      /** The service account of the pod that the engine runs in, in place of a kubeconfig. */
      readonly inCluster?: true;
      /** Context of the kubeconfig; default: its current one. */
      readonly context?: string;
      /** Whether the program that the kubeconfig names for logging in may be run. */
      readonly allowExec?: boolean;
      /**
       * Environments that may use it; default: every one.
       *
       * @maxItems 1000
       *
       * Items: RFC 1123 label of at most 40 characters.
       */
      readonly environments?: readonly string[];
      /**
       * Namespaces that may be written to, * for any letters; default: those that the targets using it declare.
       *
       * @maxItems 200
       *
       * Items: Name of a namespace, * for any letters.
       */
      readonly namespaces?: readonly string[];
      /**
       * Kinds outside of namespaces that may be written, * for all; default: Namespace, CustomResourceDefinition.
       *
       * @maxItems 200
       *
       * Items: A kind, with its group after a dot or without it.
       */
      readonly clusterResources?: readonly string[];
      /** User that requests are made as where the target names none. */
      readonly impersonate?: string;
    };
  };
  /** What targets of this machine may use. */
  readonly targets?: {
    /** Targets that are directories. */
    readonly directory?: {
      /** They all lie below this directory. */
      readonly root: string;
    };
  };
  /** Foreign programs by exact version. A tool without an entry is looked for on PATH. */
  readonly tools?: {
    /** Renders components of kind Helm. */
    readonly helm?: {
      readonly [k: string]: ServiceConfigurationProgram;
    };
    /** Renders components of kind Kustomize. */
    readonly kustomize?: {
      readonly [k: string]: ServiceConfigurationProgram;
    };
    /** Decrypts secrets when they are applied. */
    readonly sops?: {
      readonly [k: string]: ServiceConfigurationProgram;
    };
  };
  /** Encrypted files of environments. */
  readonly sops?: {
    readonly ageKey?: ServiceConfigurationSecret;
  };
  /** What this machine itself trusts. */
  readonly trust?: {
    /** Commit from which signatures are judged. */
    readonly root?: string;
    /** Allowed signers file of OpenSSH, beside the project's trust. */
    readonly allowedSigners?: string;
    /** Authorities and logs of keyless signatures, where the project declares none: a trusted root, or where one is kept current. */
    readonly sigstore?: {
      /** The file trusted_root.json. */
      readonly trustedRoot?: {
        /** Path of the trusted root. */
        readonly file: string;
      };
      /** A repository of The Update Framework that has trusted_root.json. */
      readonly tuf?: {
        /** Address of the repository; targets are below /targets. */
        readonly mirror: string;
        /** File of the root.json that trust starts from. */
        readonly root: string;
      };
    };
  };
  /** Who may use the API. */
  readonly access?: readonly {
    /** Who it is, in the records. */
    readonly name: string;
    readonly token: ServiceConfigurationSecret;
    /** What they may do. */
    readonly allow: readonly string[];
  }[];
  /** What is written about the work. */
  readonly log?: {
    /** The least important line that is written. */
    readonly level?: 'debug' | 'info' | 'warn' | 'error';
  };
}
/** A secret by reference. */
export interface ServiceConfigurationSecret {
  /** Name of an environment variable. */
  readonly env?: string;
  /** File with the secret; relative to the configuration. */
  readonly file?: string;
}
/** A program file and what it must be. */
export interface ServiceConfigurationProgram {
  /** The program; relative to the configuration. */
  readonly path: string;
  /** sha256 of the program file. */
  readonly sha256: string;
}
