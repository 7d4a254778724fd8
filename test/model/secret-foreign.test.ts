import { expect, test } from 'vitest';

import { findSecrets } from '#model/secret-scan.ts';
import { foreignManifests } from '#test/foreign-manifests.ts';

const manifests = foreignManifests();
const ARCHIVED = 'examples/_archived';

/** Every finding, with what a person says of it who looked at the file. */
const JUDGED: Readonly<Record<string, 'true' | 'false'>> = {
  // Keys that `ceph auth get-key` printed.
  [`${ARCHIVED}/persistent-volume-provisioning/rbd/ceph-secret-admin.yaml:8:8 a secret`]: 'true',
  [`${ARCHIVED}/persistent-volume-provisioning/rbd/ceph-secret-user.yaml:8:8 a secret`]: 'true',
  // Key of a storage account.
  [`${ARCHIVED}/volumes/azure_file/secret/azure-secret.yaml:8:27 a secret`]: 'true',
  [`${ARCHIVED}/volumes/cephfs/secret/ceph-secret.yaml:6:8 a secret`]: 'true',
  [`${ARCHIVED}/volumes/rbd/secret/ceph-secret.yaml:7:8 a secret`]: 'true',
  // A password that somebody chose, not one that stands for one.
  [`${ARCHIVED}/volumes/scaleio/secret.yaml:8:13 a password`]: 'true',
};

test.skipIf(manifests === undefined)('V-80: in 408 manifests of three public projects exactly the real secrets are found', () => {
  const found = [...(manifests ?? [])].flatMap(([path, bytes]) =>
    findSecrets(bytes).map(({ type, line, column }) => `${path}:${line}:${column} ${type}`),
  );

  expect(found.sort()).toEqual(Object.keys(JUDGED).sort());
  expect(Object.values(JUDGED).filter((verdict) => verdict === 'false')).toEqual([]);
});

test.skipIf(manifests === undefined)('V-80: Secrets whose values stand for others are fine', () => {
  const secrets = [...(manifests ?? [])].filter(([, bytes]) => /^kind: Secret$/m.test(Buffer.from(bytes).toString('utf8')));
  expect(secrets).toHaveLength(16);
  expect(secrets.filter(([, bytes]) => findSecrets(bytes).length === 0)).toHaveLength(10);
});
