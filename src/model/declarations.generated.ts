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
    /** RFC 1123 label of at most 40 characters. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels: names to texts. */
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
      readonly cpuHour?: number;
      readonly memoryGiBHour?: number;
      readonly storageGiBMonth?: number;
      readonly currency?: string;
    };
    /** Versions that nothing may move to, as capsule@version. */
    readonly quarantine?: {
      readonly [k: string]: {
        readonly reason: string;
        readonly actor?: string;
        /** A date, or a date and time in RFC 3339. */
        readonly until?: string;
      };
    };
  };
}
/** One key or identity, and what it may sign. */
export interface ProjectTrustEntry {
  /** RFC 1123 label of at most 40 characters. */
  readonly name: string;
  /** Forge login of the person behind the key. */
  readonly user?: string;
  /** SSH public key: type and base64 text. */
  readonly sshKey?: string;
  /** File with an OpenPGP public key. */
  readonly openpgpKey?: {
    /** A path with / between its parts. */
    readonly file: string;
  };
  /** A public key in PEM. */
  readonly publicKey?: {
    /** A path with / between its parts. */
    readonly file?: string;
    readonly secretRef?: {
      readonly provider: string;
      readonly key: string;
    };
  };
  /** File with a root certificate. */
  readonly x509Root?: {
    /** A path with / between its parts. */
    readonly file: string;
  };
  /** Issuer of keyless signatures; compared exactly. */
  readonly issuer?: string;
  /** Identity of keyless signatures; compared exactly. */
  readonly identity?: string;
  /** Anchored regular expression for identities. */
  readonly identityPattern?: string;
  /**
   * What the key may sign.
   *
   * @minItems 1
   */
  readonly for: readonly ('commit' | 'capsule' | 'image' | 'evidence' | 'approval' | 'engine' | 'policy')[];
  /** A date, or a date and time in RFC 3339. */
  readonly validFrom?: string;
  /** A date, or a date and time in RFC 3339. */
  readonly validUntil?: string;
}

/** environments/<env>/environment.yaml: what runs there, where, and how versions reach it. */
export interface Environment {
  /** Version of this format. */
  readonly apiVersion: 'capstan.dev/v1alpha1';
  /** Kind of this declaration. */
  readonly kind: 'Environment';
  /** Identity of the declaration. */
  readonly metadata: {
    /** RFC 1123 label of at most 40 characters. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels: names to texts. */
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
    /** How much harm a mistake can do. */
    readonly risk: 'low' | 'medium' | 'high' | 'critical';
    /** Whose it is. */
    readonly tenancy?: {
      /** RFC 1123 label of at most 40 characters. */
      readonly tenant?: string;
      readonly mode?: 'shared' | 'segmented' | 'dedicated';
      /** Namespace of the environment. */
      readonly namespace?: string;
    };
    /** The most sensitive class of data handled here. */
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
        /** RFC 1123 label of at most 40 characters. */
        readonly capsule: string;
        /** A SemVer range such as ^1.4.0 or >=7.2.0 <8.0.0. */
        readonly version?: string;
        /** Any JSON object. */
        readonly config?: JsonObject;
      };
    };
    /** Sources of secrets, by instance and secret. */
    readonly secrets?: {
      readonly [k: string]: {
        readonly [k: string]: {
          readonly provider: string;
          readonly store?: string;
          readonly path?: string;
          readonly key?: string;
          /** Name of the existing Secret. */
          readonly name?: string;
        };
      };
    };
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
        /** Items: RFC 1123 label of at most 40 characters. */
        readonly environments?: readonly string[];
        readonly strategy?: 'all' | 'any';
      };
      readonly selection?: 'newest' | 'match-upstream';
      readonly grouping?:
        | ('capsule' | 'environment')
        | {
            readonly groups: {
              /** Items: A name, or names joined by "." for private and nested instances. */
              readonly [k: string]: readonly string[];
            };
          };
      /** Open pull requests by itself. */
      readonly automatic?: boolean;
      readonly merge?: 'manual' | 'auto';
      /** How long it must have been healthy upstream. */
      readonly soak?: string;
      readonly holdOnManualRollback?: boolean;
      readonly backward?: 'allow' | 'deny';
      readonly maxBehind?: number;
    };
    /** What holds a promotion back. */
    readonly gates?: readonly EnvironmentGate[];
    /** Whose approval a promotion needs. */
    readonly approvals?: readonly {
      /** A CEL expression. */
      readonly when?: string;
      readonly required: number;
      /** Items: RFC 1123 label of at most 40 characters. */
      readonly teams?: readonly string[];
      readonly separationOfDuties?: boolean;
      /** A duration such as 30s, 10m or 1h30m. */
      readonly expiresAfter?: string;
      readonly dismissOnChange?: boolean;
    }[];
    readonly windows?: readonly {
      /** RFC 1123 label of at most 40 characters. */
      readonly name: string;
      readonly kind: 'allow' | 'deny';
      readonly rrule?: string;
      /** A date, or a date and time in RFC 3339. */
      readonly start?: string;
      /** A date, or a date and time in RFC 3339. */
      readonly end?: string;
      /** A duration such as 30s, 10m or 1h30m. */
      readonly duration?: string;
      readonly timeZone?: string;
      readonly except?: {
        readonly change?: readonly ('promotion' | 'rollback' | 'emergency' | 'config')[];
      };
    }[];
    readonly verification?: {
      readonly after?: 'sync';
      /** A duration such as 30s, 10m or 1h30m. */
      readonly timeout?: string;
      readonly required?: readonly string[];
    };
    readonly rollout?: {
      readonly partitions?: readonly {
        /** RFC 1123 label of at most 40 characters. */
        readonly name: string;
        readonly selector: EnvironmentSelector;
      }[];
      /** A percentage such as 20%. */
      readonly autoPartitionSize?: string;
      /** A number of things, or a percentage of them. */
      readonly maxUnavailable?: number | string;
      /** A number of things, or a percentage of them. */
      readonly maxUnavailablePartitions?: number | string;
      /** A duration such as 30s, 10m or 1h30m. */
      readonly pauseBetween?: string;
    };
    readonly rollback?: {
      readonly automatic?: boolean;
      readonly pullRequest?: boolean;
      readonly autoMerge?: boolean;
      readonly to?: 'lastVerified' | 'previous';
      readonly maxPerDay?: number;
    };
    /** How targets are kept in line. */
    readonly sync?: {
      readonly mode?: 'apply' | 'delegate' | 'render-only' | 'manual';
      /** A duration such as 30s, 10m or 1h30m. */
      readonly interval?: string;
      /** A duration such as 30s, 10m or 1h30m. */
      readonly retryInterval?: string;
      /** A duration such as 30s, 10m or 1h30m. */
      readonly timeout?: string;
      readonly retryBudget?: {
        readonly attempts?: number;
        /** A duration such as 30s, 10m or 1h30m. */
        readonly per?: string;
      };
      /** Delete what is no longer declared; confirm: only when sync.confirm names the rendering. */
      readonly prune?: true | false | 'confirm';
      readonly deletionPolicy?: 'Delete' | 'WaitForTermination' | 'Orphan';
      /** Most that one run may delete on a target; the smaller counts. */
      readonly deletionBudget?: {
        readonly count?: number;
        readonly percent?: number;
      };
      /** Target renderings that may delete beyond the budget. */
      readonly confirm?: readonly {
        /** 64 lower-case hexadecimal digits. */
        readonly rendering: string;
        readonly reason: string;
      }[];
      readonly selfHeal?: boolean;
      readonly drift?: {
        readonly ignore?: readonly {
          readonly target: {
            readonly kind?: string;
            readonly name?: string;
            readonly group?: string;
          };
          /**
           * @minItems 1
           *
           * Items: An RFC 6901 JSON pointer.
           */
          readonly paths: readonly string[];
        }[];
        readonly onDetect?: 'correct' | 'report' | 'pullRequest';
        readonly maxPerHour?: number;
      };
      readonly wait?: boolean;
      readonly suspend?: boolean;
      readonly renderedReview?: boolean;
      readonly force?: boolean;
    };
    readonly policies?: readonly {
      /** RFC 1123 label of at most 40 characters. */
      readonly ref: string;
    }[];
    readonly freeze?: {
      readonly reason: string;
      /** A date, or a date and time in RFC 3339. */
      readonly until?: string;
      readonly by?: string;
    } | null;
    readonly audit?: {
      /** A duration such as 30s, 10m or 1h30m. */
      readonly retention?: string;
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
  /** Labels: names to texts. */
  readonly labels?: {
    readonly [k: string]: string;
  };
  /** Entry of the service configuration. */
  readonly credentials?: string;
  /** Namespace of objects that name none. */
  readonly namespace?: string;
  readonly impersonate?: string;
  /** What is declared of the target. */
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
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}
/** What is wanted of one instance. */
export interface EnvironmentRequest {
  /** Default: the name of the instance. */
  readonly capsule?: string;
  /** A SemVer range such as ^1.4.0 or >=7.2.0 <8.0.0. */
  readonly version: string;
  readonly enabled?: boolean;
  readonly targets?: EnvironmentSelector;
  /** Layer of this instance. */
  readonly config?: JsonObject;
  /** RFC 6902 on rendered objects. */
  readonly patches?: readonly {
    readonly target: {
      readonly kind?: string;
      readonly name?: string;
      readonly group?: string;
    };
    /** @minItems 1 */
    readonly ops: readonly {
      readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
      /** An RFC 6901 JSON pointer. */
      readonly path: string;
      /** An RFC 6901 JSON pointer. */
      readonly from?: string;
      /** Any JSON value. */
      readonly value?: Json;
    }[];
  }[];
  /** Wishes for single instances inside of it, by their name without its own: children of a bundle, private dependencies. */
  readonly instances?: {
    readonly [k: string]: {
      /** Layer of this instance. */
      readonly config?: JsonObject;
      /** RFC 6902 on rendered objects. */
      readonly patches?: readonly {
        readonly target: {
          readonly kind?: string;
          readonly name?: string;
          readonly group?: string;
        };
        /** @minItems 1 */
        readonly ops: readonly {
          readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
          /** An RFC 6901 JSON pointer. */
          readonly path: string;
          /** An RFC 6901 JSON pointer. */
          readonly from?: string;
          /** Any JSON value. */
          readonly value?: Json;
        }[];
      }[];
    };
  };
  readonly updatePolicy?: 'promote' | 'latest' | 'pinned';
  readonly allowUnreleased?: boolean;
}
/** Chooses by labels; an empty one chooses all. */
export interface EnvironmentSelector {
  /** Labels: names to texts. */
  readonly matchLabels?: {
    readonly [k: string]: string;
  };
}
/** A condition that holds a promotion back. */
export interface EnvironmentGate {
  /** RFC 1123 label of at most 40 characters. */
  readonly name: string;
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
  /** A CEL expression. */
  readonly when?: string;
  readonly attestation?: string;
  readonly minPassRate?: number;
  /** Severity of a finding. */
  readonly maxSeverity?: 'low' | 'medium' | 'high' | 'critical';
  /** A duration such as 30s, 10m or 1h30m. */
  readonly maxAge?: string;
  /** @minItems 1 */
  readonly checks?: readonly string[];
  /** RFC 1123 label of at most 40 characters. */
  readonly environment?: string;
  /** A duration such as 30s, 10m or 1h30m. */
  readonly duration?: string;
  /** A percentage such as 20%. */
  readonly minErrorBudgetRemaining?: string;
  readonly slo?: string;
  readonly maxIncreasePercent?: number;
  readonly kinds?: readonly ('rollback' | 'failover' | 'restore')[];
  readonly required?: number;
  /** Items: RFC 1123 label of at most 40 characters. */
  readonly teams?: readonly string[];
  /** RFC 1123 label of at most 40 characters. */
  readonly window?: string;
  /** RFC 1123 label of at most 40 characters. */
  readonly ref?: string;
  /** RFC 1123 label of at most 40 characters. */
  readonly driver?: string;
  readonly url?: string;
  readonly separationOfDuties?: boolean;
  /** A duration such as 30s, 10m or 1h30m. */
  readonly expiresAfter?: string;
  readonly dismissOnChange?: boolean;
}

/** environments/<env>/environment.lock.yaml: what the engine resolved; written by the engine. */
export interface EnvironmentLock {
  readonly apiVersion: 'capstan.dev/v1alpha1';
  readonly kind: 'EnvironmentLock';
  readonly metadata: {
    /** RFC 1123 label of at most 40 characters. */
    readonly environment: string;
  };
  /** What is locked, by instance. */
  readonly capsules: {
    readonly [k: string]: EnvironmentLockLockEntry;
  };
  /** Instances that nothing promotes until the hold is removed. */
  readonly holds: {
    readonly [k: string]: {
      readonly changeSet?: string;
      readonly reason: string;
      readonly actor?: string;
      /** A date, or a date and time in RFC 3339. */
      readonly createdAt?: string;
    };
  };
}
/** One locked instance. */
export interface EnvironmentLockLockEntry {
  /** RFC 1123 label of at most 40 characters. */
  readonly capsule: string;
  /** SemVer 2.0.0 without build metadata; quote it. */
  readonly version: string;
  /** 40 lower-case hexadecimal digits. */
  readonly commit: string;
  /** 40 lower-case hexadecimal digits. */
  readonly gitTree: string;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** @minItems 1 */
  readonly requestedBy: readonly string[];
  readonly signer?: {
    /** RFC 1123 label of at most 40 characters. */
    readonly name: string;
    readonly identity?: string;
    readonly issuer?: string;
  };
  readonly resolved?: {
    readonly [k: string]: {
      readonly reference: string;
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
    /** RFC 1123 label of at most 40 characters. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels: names to texts. */
    readonly labels?: {
      readonly [k: string]: string;
    };
    /** Free notes: names to texts. */
    readonly annotations?: {
      readonly [k: string]: string;
    };
    /** SemVer 2.0.0 without build metadata; immutable once on the default branch. */
    readonly version: string;
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
    readonly system?: string;
    readonly lifecycle?: 'experimental' | 'production' | 'deprecated' | 'retired';
    readonly deprecation?: {
      /** RFC 1123 label of at most 40 characters. */
      readonly replacedBy?: string;
      /** A date, or a date and time in RFC 3339. */
      readonly sunset?: string;
      readonly note?: string;
    } | null;
    /** Versions of Capstan that can render it. */
    readonly engine?: string;
    /** What it runs on and upgrades from. */
    readonly compatibility?: {
      /** A SemVer range such as ^1.4.0 or >=7.2.0 <8.0.0. */
      readonly kubernetes?: string;
      readonly architectures?: readonly string[];
      /** A SemVer range such as ^1.4.0 or >=7.2.0 <8.0.0. */
      readonly upgradesFrom?: string;
      readonly capabilities?: readonly string[];
    };
    /** Files that repeat the version. */
    readonly versionFiles?: readonly {
      /** A path with / between its parts. */
      readonly path: string;
      /** An RFC 6901 JSON pointer. */
      readonly pointer: string;
    }[];
    /** Children may change extension points only. */
    readonly sealed?: boolean;
    /** Capsules of other repositories, pinned. */
    readonly imports?: {
      readonly [k: string]: {
        readonly url: string;
        /** 40 lower-case hexadecimal digits. */
        readonly commit: string;
        /** A path with / between its parts. */
        readonly path: string;
      };
    };
    /** The capsule that lies below this one. */
    readonly extends?: {
      /** RFC 1123 label of at most 40 characters. */
      readonly capsule: string;
      /** A SemVer range such as ^1.4.0 or >=7.2.0 <8.0.0. */
      readonly version: string;
    } | null;
    /** What children and environments may add to. */
    readonly extensionPoints?: readonly {
      /** RFC 1123 label of at most 40 characters. */
      readonly name: string;
      /** An RFC 6901 JSON pointer. */
      readonly path: string;
    }[];
    /** Children of a bundle. */
    readonly instances?: {
      readonly [k: string]: {
        /** RFC 1123 label of at most 40 characters. */
        readonly capsule: string;
        /** A SemVer range such as ^1.4.0 or >=7.2.0 <8.0.0. */
        readonly version: string;
        /** Any JSON object. */
        readonly config?: JsonObject;
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
    readonly conflicts?: readonly {
      /** RFC 1123 label of at most 40 characters. */
      readonly capsule: string;
      /** A SemVer range such as ^1.4.0 or >=7.2.0 <8.0.0. */
      readonly version: string;
    }[];
    readonly dataSources?: {
      readonly [k: string]: {
        readonly uri: string;
        /** The most sensitive class of data handled here. */
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
        /** A path with / between its parts. */
        readonly openapi?: string;
      };
    };
    readonly outputs?: {
      readonly [k: string]: {
        readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array';
        readonly description?: string;
        readonly sensitive?: boolean;
      };
    };
    /** Configuration: shape, defaults, assertions. */
    readonly config?: {
      /** JSON Schema 2020-12: inline, or a file of the capsule. */
      readonly schema?: string | JsonObject;
      /** Lowest layer above the schema defaults. */
      readonly defaults?: JsonObject;
      readonly assertions?: readonly {
        /** A CEL expression. */
        readonly expression: string;
        readonly message: string;
      }[];
      /** Keys whose change restarts nothing. */
      readonly dynamic?: readonly string[];
    };
    /** Secrets it needs; values come from the environment. */
    readonly secrets?: {
      readonly [k: string]: {
        readonly required?: boolean;
        /** A duration such as 30s, 10m or 1h30m. */
        readonly rotation?: string;
        readonly keys?: readonly string[];
      };
    };
    readonly render?: {
      readonly engine?: 'handlebars';
      /** A path with / between its parts. */
      readonly path?: string;
      readonly engineVersion?: number;
      readonly profile?: 'kubernetes';
      readonly capabilities?: readonly string[];
    };
    /** RFC 6902 on rendered objects. */
    readonly patches?: readonly CapsulePatch[];
    /** How a new version replaces the old one. */
    readonly strategy?: {
      readonly type?: 'rolling' | 'recreate' | 'blueGreen' | 'canary' | 'abTest' | 'shadow';
      readonly rolling?: {
        /** A number of things, or a percentage of them. */
        readonly maxSurge?: number | string;
        /** A number of things, or a percentage of them. */
        readonly maxUnavailable?: number | string;
      };
      readonly canary?: {
        readonly provider?: 'gateway-api' | 'istio' | 'nginx' | 'replicas' | 'argo-rollouts' | 'flagger' | 'linkerd';
        readonly steps?: readonly {
          readonly setWeight?: number;
          /** A duration such as 30s, 10m or 1h30m. */
          readonly pause?: string;
          /** RFC 1123 label of at most 40 characters. */
          readonly analysis?: string;
        }[];
      };
      /** Any JSON object. */
      readonly blueGreen?: JsonObject;
      /** Any JSON object. */
      readonly abTest?: JsonObject;
      /** Any JSON object. */
      readonly shadow?: JsonObject;
      readonly analysis?: {
        readonly [k: string]: {
          readonly provider: string;
          readonly query: string;
          /** A duration such as 30s, 10m or 1h30m. */
          readonly interval?: string;
          readonly count?: number;
          /** A CEL expression. */
          readonly success?: string;
          readonly failureLimit?: number;
          readonly onNoData?: 'pass' | 'fail' | 'inconclusive';
        };
      };
      /** A duration such as 30s, 10m or 1h30m. */
      readonly progressDeadline?: string;
    };
    /** When to go back by itself. */
    readonly rollback?: {
      readonly automatic?: boolean;
      readonly triggers?: readonly {
        readonly on?: 'verificationFailed' | 'healthDegraded' | 'evalRegression' | 'syncFailed';
        /** A duration such as 30s, 10m or 1h30m. */
        readonly for?: string;
        readonly metric?: string;
        readonly below?: number;
        readonly above?: number;
        readonly slo?: string;
        readonly burnRateAbove?: number;
        /** A duration such as 30s, 10m or 1h30m. */
        readonly window?: string;
      }[];
      readonly to?: 'lastVerified' | 'previous';
    };
    readonly migrations?: readonly {
      /** A SemVer range such as ^1.4.0 or >=7.2.0 <8.0.0. */
      readonly from: string;
      /** RFC 1123 label of at most 40 characters. */
      readonly job: string;
      readonly reversible?: boolean;
    }[];
    /** Job components that run at these moments. */
    readonly hooks?: {
      /** RFC 1123 label of at most 40 characters. */
      readonly preSync?: string;
      /** RFC 1123 label of at most 40 characters. */
      readonly postSync?: string;
      /** RFC 1123 label of at most 40 characters. */
      readonly preStop?: string;
      /** RFC 1123 label of at most 40 characters. */
      readonly onRollback?: string;
    };
    /** What runs after sync, before soak. */
    readonly verification?: {
      readonly smoke?: {
        readonly http?: {
          readonly url: string;
          readonly method?: string;
          readonly expectStatus?: number;
        };
        /** RFC 1123 label of at most 40 characters. */
        readonly job?: string;
        /** A duration such as 30s, 10m or 1h30m. */
        readonly timeout?: string;
      } | null;
      readonly synthetic?: {
        readonly http?: {
          readonly url: string;
          readonly method?: string;
          readonly expectStatus?: number;
        };
        /** A duration such as 30s, 10m or 1h30m. */
        readonly interval?: string;
        readonly successRate?: number;
      };
      readonly evals?: readonly {
        readonly dataset: {
          readonly uri: string;
          /** 64 lower-case hexadecimal digits. */
          readonly sha256?: string;
        };
        readonly metric: string;
        readonly min?: number;
        readonly maxRegression?: number;
      }[];
    };
    readonly health?: {
      readonly metrics?: {
        readonly system?: readonly string[];
        readonly application?: readonly {
          readonly name: string;
          readonly query?: string;
          readonly warn?: number;
          readonly fail?: number;
        }[];
        readonly business?: readonly {
          readonly name: string;
          readonly query?: string;
          readonly warn?: number;
          readonly fail?: number;
        }[];
        readonly custom?: readonly {
          readonly name: string;
          readonly query?: string;
          readonly warn?: number;
          readonly fail?: number;
        }[];
      };
      readonly expressions?: readonly {
        readonly apiVersion: string;
        readonly kind: string;
        /** A CEL expression. */
        readonly current?: string;
        /** A CEL expression. */
        readonly inProgress?: string;
        /** A CEL expression. */
        readonly failed?: string;
      }[];
    };
    readonly slo?: {
      readonly profile?: string;
      /** Items: A path with / between its parts. */
      readonly files?: readonly string[];
    };
    readonly alerts?: {
      /** Alerts on queries that cross a bound. */
      readonly thresholds?: readonly {
        readonly name: string;
        /** PromQL; {{instance}} and the like are put in. */
        readonly query: string;
        readonly above?: number;
        readonly below?: number;
        /** How long before it counts. */
        readonly for?: string;
        readonly severity?: 'info' | 'warning' | 'critical';
        readonly message?: string;
      }[];
      readonly escalation?: readonly {
        /** A duration such as 30s, 10m or 1h30m. */
        readonly after: string;
        readonly to: string;
      }[];
      /** A path with / between its parts. */
      readonly runbook?: string;
    };
    readonly observability?: {
      readonly scrape?: {
        /** A port number or the name of a declared port. */
        readonly port: number | string;
        readonly path?: string;
      };
      readonly logs?: {
        readonly format?: 'json' | 'text';
        /** A duration such as 30s, 10m or 1h30m. */
        readonly retention?: string;
      };
      readonly traces?: {
        readonly otlp?: boolean;
      };
      /** Items: A path with / between its parts. */
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
    readonly cost?: {
      readonly budget?: {
        readonly daily?: number;
        readonly monthly?: number;
        readonly annual?: number;
        readonly currency?: string;
      };
      readonly alertThresholds?: readonly {
        readonly percent: number;
        readonly notify?: string;
      }[];
      readonly optimizationRules?: readonly {
        /** A CEL expression. */
        readonly if?: string;
        /** A duration such as 30s, 10m or 1h30m. */
        readonly for?: string;
        readonly propose?: string;
      }[];
      readonly variance?: {
        readonly maxPercent?: number;
      };
    };
    /** Risk and evidence. */
    readonly security?: {
      /** How much harm a mistake can do. */
      readonly risk?: 'low' | 'medium' | 'high' | 'critical';
      /** The most sensitive class of data handled here. */
      readonly dataClassification?: 'public' | 'internal' | 'confidential' | 'restricted';
      readonly compliance?: readonly string[];
      readonly signatures?: {
        readonly required?: boolean;
        /**
         * Trust entries that may sign it.
         *
         * Items: RFC 1123 label of at most 40 characters.
         */
        readonly identities?: readonly string[];
      };
      readonly sbom?: {
        readonly required?: boolean;
        readonly format?: 'cyclonedx' | 'spdx';
      };
      readonly provenance?: {
        readonly minSlsaLevel?: number;
      };
      readonly vulnerabilities?: {
        /** Severity of a finding. */
        readonly maxSeverity?: 'low' | 'medium' | 'high' | 'critical';
        readonly allow?: readonly {
          readonly id: string;
          /** A date, or a date and time in RFC 3339. */
          readonly until: string;
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
    /** Any JSON object. */
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
      /** A path with / between its parts. */
      readonly mountPath: string;
      /** Name below storage. */
      readonly storage: string;
      readonly readOnly?: boolean;
    };
  };
  /** Ports that the component listens on. */
  readonly ports?: {
    readonly [k: string]: {
      readonly port: number;
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
    readonly cpu?: {
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly request?: string | number;
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly limit?: string | number;
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly burst?: string | number;
    };
    readonly memory?: {
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly request?: string | number;
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly limit?: string | number;
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly buffer?: string | number;
    };
    readonly accelerators?: {
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly [k: string]: string | number;
    };
  };
  /** Storage that volumes mount. */
  readonly storage?: {
    readonly [k: string]: {
      readonly type: 'persistent' | 'ephemeral';
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly size?: string | number;
      readonly class?: string;
      readonly access?: 'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod';
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
      readonly min: number;
      readonly max: number;
      /** A percentage such as 20%. */
      readonly buffer?: string;
      readonly metrics?: readonly {
        readonly resource: 'cpu' | 'memory';
        readonly targetUtilization: number;
      }[];
      readonly behavior?: {
        /** A duration such as 30s, 10m or 1h30m. */
        readonly scaleDownStabilization?: string;
        /** A duration such as 30s, 10m or 1h30m. */
        readonly scaleUpStabilization?: string;
      };
    };
    /** Scales requests. */
    readonly vertical?: {
      readonly mode?: 'off' | 'initial' | 'auto';
    };
    readonly schedule?: readonly {
      readonly cron: string;
      readonly timeZone?: string;
      readonly min?: number;
      readonly max?: number;
    }[];
    readonly cluster?: {
      readonly priority?: string;
      readonly placeholderReplicas?: number;
    };
  };
  /** How much of it may be missing. */
  readonly availability?: {
    readonly disruptionBudget?: {
      /** A number of things, or a percentage of them. */
      readonly maxUnavailable?: number | string;
      /** A number of things, or a percentage of them. */
      readonly minAvailable?: number | string;
    };
    readonly spread?: 'none' | 'node' | 'zone';
    readonly minZones?: number;
    readonly leaderElection?: boolean;
    /** Items: Any JSON value. */
    readonly failover?: readonly Json[];
  };
  /** Where it can run. */
  readonly placement?: {
    readonly tiers?: readonly ('cloud' | 'edge')[];
    /** Facts that a target must have; a list means one of. */
    readonly requires?: {
      /** A fact, or a list of facts of which one is enough. */
      readonly [k: string]: string | number | boolean | readonly (string | number | boolean)[];
    };
    readonly prefers?: {
      /** A fact, or a list of facts of which one is enough. */
      readonly [k: string]: string | number | boolean | readonly (string | number | boolean)[];
    };
  };
  /** What the process may do. */
  readonly security?: {
    readonly runAsNonRoot?: boolean;
    readonly runAsUser?: number;
    readonly runAsGroup?: number;
    readonly fsGroup?: number;
    readonly privileged?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly capabilities?: {
      readonly drop?: readonly string[];
      readonly add?: readonly string[];
    };
    readonly seccomp?: 'RuntimeDefault' | 'Unconfined';
    readonly serviceAccount?: {
      readonly create?: boolean;
      /** RFC 1123 label of at most 40 characters. */
      readonly name?: string;
      readonly rules?: readonly {
        readonly apiGroups?: readonly string[];
        readonly resources?: readonly string[];
        readonly verbs: readonly string[];
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
    /** A duration such as 30s, 10m or 1h30m. */
    readonly timeout?: string;
    readonly retries?: {
      readonly attempts?: number;
      readonly on?: readonly string[];
    };
    readonly circuitBreaker?: {
      readonly consecutiveErrors?: number;
      /** A duration such as 30s, 10m or 1h30m. */
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
    /** A duration such as 30s, 10m or 1h30m. */
    readonly gracePeriod?: string;
    readonly preStop?: null | {
      readonly exec?: {
        readonly command: readonly string[];
      };
      readonly httpGet?: {
        /** A port number or the name of a declared port. */
        readonly port: number | string;
        readonly path?: string;
      };
      /** A duration such as 30s, 10m or 1h30m. */
      readonly sleep?: string;
    };
    readonly order?: 'reverse' | 'none';
  };
  /** When a CronJob runs. */
  readonly schedule?: {
    readonly cron: string;
    readonly timeZone?: string;
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
  readonly output?: string;
  /** Secret below spec.secrets. */
  readonly secret?: string;
  /** Key of the secret. */
  readonly key?: string;
  /** A CEL expression. */
  readonly when?: string;
}
export interface CapsuleProbe {
  readonly httpGet?: {
    /** A port number or the name of a declared port. */
    readonly port: number | string;
    readonly path?: string;
    readonly scheme?: 'HTTP' | 'HTTPS';
  };
  readonly tcp?: {
    /** A port number or the name of a declared port. */
    readonly port: number | string;
  };
  readonly grpc?: {
    /** A port number or the name of a declared port. */
    readonly port: number | string;
    readonly service?: string;
  };
  readonly exec?: {
    /** @minItems 1 */
    readonly command: readonly string[];
  };
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
  readonly successThreshold?: number;
}
/** One thing that the capsule needs. */
export interface CapsuleDependency {
  /** RFC 1123 label of at most 40 characters. */
  readonly capsule?: string;
  /** Abstract type; the environment has a recipe for it. */
  readonly type?: string;
  /** Service outside of this repository. */
  readonly service?: string;
  /** A SemVer range such as ^1.4.0 or >=7.2.0 <8.0.0. */
  readonly version?: string;
  /** Missing: capabilities.<name> is false. */
  readonly optional?: boolean;
  readonly when?: string | null;
  readonly condition?: 'started' | 'healthy' | 'completed';
  /** false: a private instance <instance>.<dependency>. */
  readonly shared?: boolean;
  readonly external?: boolean;
  /** What its provides must match. */
  readonly requires?: {
    readonly protocol?: string;
  };
}
export interface CapsulePatch {
  readonly target: {
    readonly kind?: string;
    readonly name?: string;
    readonly group?: string;
  };
  /** @minItems 1 */
  readonly ops: readonly {
    readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
    /** An RFC 6901 JSON pointer. */
    readonly path: string;
    /** An RFC 6901 JSON pointer. */
    readonly from?: string;
    /** Any JSON value. */
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
    /** RFC 1123 label of at most 40 characters. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels: names to texts. */
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
      readonly objects?: readonly {
        readonly apiGroups?: readonly string[];
        readonly kinds?: readonly string[];
      }[];
    };
    readonly variables?: readonly {
      readonly name: string;
      /** A CEL expression. */
      readonly expression: string;
    }[];
    /** @minItems 1 */
    readonly validations: readonly {
      /** True when all is well. */
      readonly expression: string;
      readonly message?: string;
      /** A CEL expression. */
      readonly messageExpression?: string;
      readonly reason?: string;
    }[];
    readonly enforcement?: 'deny' | 'warn' | 'audit';
    readonly failurePolicy?: 'fail' | 'ignore';
    readonly exceptions?: readonly {
      readonly match: {
        readonly change?: string;
        /** RFC 1123 label of at most 40 characters. */
        readonly environment?: string;
        /** RFC 1123 label of at most 40 characters. */
        readonly capsule?: string;
      };
      /** A date, or a date and time in RFC 3339. */
      readonly until: string;
      readonly approvedBy?: string;
      readonly ticket?: string;
    }[];
    readonly tests?: readonly {
      readonly name: string;
      /** Any JSON object. */
      readonly input: JsonObject;
      readonly expect: 'deny' | 'allow' | 'warn';
    }[];
    readonly export?: readonly ('kyverno' | 'vap')[];
  };
}
/** Chooses by labels; an empty one chooses all. */
export interface PolicySelector {
  /** Labels: names to texts. */
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
    /** RFC 1123 label of at most 40 characters. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels: names to texts. */
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
    /** Items: RFC 1123 label of at most 40 characters. */
    readonly devices?: readonly string[];
    readonly generator?: {
      /** A path with / between its parts. */
      readonly file: string;
    };
    /** Layer of the fleet. */
    readonly capsules?: {
      readonly [k: string]: {
        /** Configuration layer; merged by RFC 7396. */
        readonly config?: JsonObject;
      };
    };
    readonly rollout?: {
      readonly waves?: readonly {
        /** RFC 1123 label of at most 40 characters. */
        readonly name: string;
        readonly devices: {
          readonly count?: number;
          readonly percent?: number;
        };
        /** A duration such as 30s, 10m or 1h30m. */
        readonly soak?: string;
        /** A percentage such as 20%. */
        readonly successThreshold?: string;
        /** A number of things, or a percentage of them. */
        readonly maxUnavailable?: number | string;
      }[];
      readonly abort?: {
        readonly failurePercent?: number;
        readonly offlineCountsAs?: 'pending' | 'failed';
      };
      readonly strategy?: 'replace' | 'ab-slots' | 'blueGreen';
    };
    readonly delivery?: {
      readonly transport?: 'https-pull' | 'git' | 'usb-bundle';
      readonly bundle?: {
        readonly delta?: boolean;
        readonly compression?: 'zstd' | 'gzip' | 'none';
        /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
        readonly maxBytes?: string | number;
        readonly includeImages?: boolean;
      };
      /** A duration such as 30s, 10m or 1h30m. */
      readonly pollInterval?: string;
      /** A percentage such as 20%. */
      readonly jitter?: string;
      readonly bandwidth?: {
        /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
        readonly maxBytesPerHour?: string | number;
        readonly metered?: 'avoid' | 'allow' | 'deny';
      };
      readonly window?: {
        readonly start: string;
        /** A duration such as 30s, 10m or 1h30m. */
        readonly duration: string;
        readonly timeZone?: string;
      };
    };
    readonly offline?: {
      readonly autonomous?: boolean;
      /** A duration such as 30s, 10m or 1h30m. */
      readonly maxStaleness?: string;
      readonly onStale?: 'keep' | 'degrade' | 'stop';
    };
    readonly reporting?: {
      /** A duration such as 30s, 10m or 1h30m. */
      readonly interval?: string;
      readonly include?: readonly ('versions' | 'health' | 'disk' | 'logs')[];
    };
  };
}
/** Chooses by labels; an empty one chooses all. */
export interface FleetSelector {
  /** Labels: names to texts. */
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
    /** RFC 1123 label of at most 40 characters. */
    readonly name: string;
    /** A name for people. */
    readonly title?: string;
    /** What it is, for people. */
    readonly description?: string;
    /** Labels: names to texts. */
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
    readonly state: 'pending' | 'provisioned' | 'active' | 'quarantined' | 'retired';
    readonly identity?: {
      /** Public key, SPKI DER in base64. */
      readonly ed25519: string;
      readonly registeredBy?: string;
    } | null;
    readonly join?: {
      /** 64 lower-case hexadecimal digits. */
      readonly tokenSha256: string;
      /** A date, or a date and time in RFC 3339. */
      readonly expires: string;
    } | null;
    readonly hardware?: {
      readonly arch?: string;
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly cpu?: string | number;
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly memory?: string | number;
      /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
      readonly storage?: string | number;
      readonly accelerators?: {
        /** A Kubernetes quantity: 100m, 1Gi, 0.25 or a number. */
        readonly [k: string]: string | number;
      };
    };
    readonly runtime?: 'podman' | 'docker-compose' | 'k3s' | 'systemd' | 'firmware-ab';
    readonly location?: {
      readonly site?: string;
      readonly timeZone?: string;
    };
    readonly hold?: {
      /** RFC 1123 label of at most 40 characters. */
      readonly capsule: string;
      /** SemVer 2.0.0 without build metadata; quote it. */
      readonly version?: string;
      readonly reason: string;
      /** A date, or a date and time in RFC 3339. */
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
  readonly apiVersion: 'capstan.dev/v1alpha1';
  readonly kind: 'Configuration';
  readonly repository: {
    /** Where the repository is cloned from and pushed to. */
    readonly url: string;
    /** Default: main. */
    readonly branch?: string;
  };
  /** The forge; log in by app or by token. */
  readonly forge?: {
    readonly type: 'github';
    /** REST root, such as https://api.github.com. */
    readonly baseUrl?: string;
    /** Log in as a GitHub App. */
    readonly app?: {
      readonly id: number;
      readonly installation: number;
      readonly privateKey: ServiceConfigurationSecret;
    };
    readonly token?: ServiceConfigurationSecret;
    readonly webhookSecret?: ServiceConfigurationSecret;
    readonly previousWebhookSecret?: ServiceConfigurationSecret;
  };
  readonly server?: {
    /** HOST:PORT. */
    readonly listen?: string;
    readonly publicUrl?: string;
  };
  readonly store?: {
    /** A path with / between its parts. */
    readonly sqlite?: string;
    readonly postgres?: ServiceConfigurationSecret;
  };
  readonly identity?: {
    readonly signingKey: {
      /** A path with / between its parts. */
      readonly file: string;
    };
    readonly name?: string;
    readonly email?: string;
  };
  readonly schedule?: {
    /** A duration such as 30s, 10m or 1h30m. */
    readonly poll?: string;
    /** A duration such as 30s, 10m or 1h30m. */
    readonly drift?: string;
    /** A percentage such as 20%. */
    readonly jitter?: string;
  };
  readonly credentials?: {
    readonly [k: string]: {
      readonly kubeconfig: {
        /** A path with / between its parts. */
        readonly file: string;
      };
      /**
       * Environments that may use it.
       *
       * Items: RFC 1123 label of at most 40 characters.
       */
      readonly environments?: readonly string[];
    };
  };
  readonly targets?: {
    readonly directory?: {
      /** A path with / between its parts. */
      readonly root: string;
    };
  };
  /** Foreign programs by exact version; one that is not named is looked for on PATH. */
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
  readonly trust?: {
    /** Commit from which signatures are judged. */
    readonly root?: string;
    /** A path with / between its parts. */
    readonly allowedSigners?: string;
  };
  readonly access?: readonly {
    /** RFC 1123 label of at most 40 characters. */
    readonly name: string;
    readonly token: ServiceConfigurationSecret;
    readonly allow: readonly string[];
  }[];
  readonly log?: {
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
