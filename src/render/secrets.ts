import type { CapsuleEnvironmentVariable } from '#model/declarations.generated.ts';
import type { JsonObject } from '#model/json.ts';
import { pointerToken } from '#model/json.ts';
import type { SecretSource } from '#model/rendering.ts';
import type { SealedDocument } from '#model/sealed.ts';
import { metadataOfInstance } from './part.ts';
import type { Scope } from './scope.ts';
import { compact, entriesOf, reportWish } from './scope.ts';
import { sealedSecret } from './sealed-secrets.ts';

/** The Secret of a declared secret and the key in it; the value itself is never here. Optional ones may be absent. */
export function secretReference(scope: Scope, variable: CapsuleEnvironmentVariable & { readonly secret: string }): JsonObject {
  const source = sourceOf(scope, variable.secret);
  const declared = keysOf(scope, variable.secret);
  const key = variable.key ?? (declared.length === 1 ? declared[0] : undefined) ?? variable.secret;
  const optional = scope.capsule.spec.secrets?.[variable.secret]?.required === false ? true : undefined;
  const existing = source?.provider === 'kubernetes' ? source : undefined;
  return compact({
    key: existing?.key ?? key,
    name: existing?.name ?? objectName(scope, variable.secret),
    optional,
  });
}

/** One ExternalSecret for each secret whose source is an external store, one Secret with placeholders for each encrypted file. */
export function secretObjects(scope: Scope): readonly { readonly value: JsonObject; readonly sealed?: SealedDocument }[] {
  return entriesOf(scope.unit.wishes.secrets).flatMap(([secret, source]) => {
    if (!isDeclared(scope, secret)) return [];
    const declared = keysOf(scope, secret);
    if (source.key !== undefined && declared.length > 1) {
      incomplete(
        scope,
        secret,
        `names the one key ${JSON.stringify(source.key)}, but the capsule needs ${[...declared].sort().join(', ')}`,
      );
      return [];
    }
    if (source.provider === 'sops') {
      const keys = declared.length === 0 ? [secret] : declared;
      return sealedSecret(scope, { secret, source, name: objectName(scope, secret), keys }) ?? [];
    }
    const value = source.provider === 'external-secrets' ? externalSecret(scope, secret, source) : undefined;
    return value === undefined ? [] : [{ value }];
  });
}

function isDeclared(scope: Scope, secret: string): boolean {
  return scope.capsule.spec.secrets !== undefined && Object.hasOwn(scope.capsule.spec.secrets, secret);
}

function externalSecret(scope: Scope, secret: string, source: SecretSource): JsonObject | undefined {
  const { store, path } = source;
  const lacking = store === undefined ? 'store' : path === undefined ? 'path' : undefined;
  if (store === undefined || path === undefined) return incomplete(scope, secret, `has no ${lacking}`);
  const declared = keysOf(scope, secret);
  const keys = declared.length === 0 ? [secret] : [...declared].sort();
  const [kind, name] = store.startsWith('cluster:') ? ['ClusterSecretStore', store.slice('cluster:'.length)] : ['SecretStore', store];
  return {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata: metadataOfInstance(scope, objectName(scope, secret)),
    spec: {
      data: keys.map((key) => ({
        remoteRef: compact({ key: path, property: source.key ?? (declared.length === 0 ? undefined : key) }),
        secretKey: key,
      })),
      secretStoreRef: { kind, name },
      target: { creationPolicy: 'Owner', name: objectName(scope, secret) },
    },
  };
}

function incomplete(scope: Scope, secret: string, what: string): undefined {
  reportWish(scope, `/spec/secrets${pointerToken(scope.unit.pin.instance)}${pointerToken(secret)}`, {
    code: 'secret-source-incomplete',
    rule: undefined,
    message: `the source of secret ${scope.unit.pin.instance}/${secret} in ${scope.unit.target.environment} ${what}`,
    remedy: 'external-secrets needs `store` (cluster:NAME for a ClusterSecretStore) and `path`; `key` only where the secret has one key.',
  });
  return undefined;
}

function sourceOf(scope: Scope, secret: string): SecretSource | undefined {
  const { secrets } = scope.unit.wishes;
  return Object.hasOwn(secrets, secret) ? secrets[secret] : undefined;
}

function keysOf(scope: Scope, secret: string): readonly string[] {
  return isDeclared(scope, secret) ? (scope.capsule.spec.secrets?.[secret]?.keys ?? []) : [];
}

function objectName(scope: Scope, secret: string): string {
  return `${scope.name}-${secret}`;
}
