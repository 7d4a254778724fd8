import { expect, test } from 'vitest';

import { openKubernetes } from '#model/kubernetes-shapes.ts';
import { customKinds, isDefinition, judgeObject } from '#render/render.ts';
import { foreignObjects } from '#test/foreign-objects.ts';
import { kubernetesTexts } from './kubernetes-texts.ts';

const found = foreignObjects();

/** All that is said of the objects of three public projects; each line was looked at, and none is wrong. */
const SAID: readonly string[] = [
  'examples/_archived/cloud-controller-manager/persistent-volume-label-initializer-config.yaml InitializerConfiguration /kind is admissionregistration.k8s.io/v1alpha1 InitializerConfiguration, which Kubernetes 1.35 does not have',
  'examples/_archived/cockroachdb/cockroachdb-statefulset.yaml PodDisruptionBudget /apiVersion is policy/v1beta1 PodDisruptionBudget, which Kubernetes has no more since 1.25; policy/v1 PodDisruptionBudget replaces it',
  'examples/_archived/newrelic-infrastructure/newrelic-infra-daemonset.yaml DaemonSet /apiVersion is extensions/v1beta1 DaemonSet, which Kubernetes has no more since 1.16; apps/v1 DaemonSet replaces it',
  'examples/_archived/podsecuritypolicy/rbac/policies.yaml PodSecurityPolicy /apiVersion is policy/v1beta1 PodSecurityPolicy, which Kubernetes has no more since 1.25',
  'examples/_archived/podsecuritypolicy/rbac/policies.yaml PodSecurityPolicy /apiVersion is policy/v1beta1 PodSecurityPolicy, which Kubernetes has no more since 1.25',
  'examples/_archived/spark/spark-gluster/glusterfs-endpoints.yaml Endpoints /apiVersion is deprecated since Kubernetes 1.33',
  'examples/_archived/volumes/aws_ebs/aws-ebs-web.yaml Pod /spec/containers/0/ports/0/protocol is "tcp"; it must be one of SCTP, TCP, UDP; did you mean "TCP"?',
  'examples/_archived/volumes/azure_disk/claim/blob-based-disk/account-specified-hdd/storageclass-account-hdd.yaml StorageClass /apiVersion is storage.k8s.io/v1beta1 StorageClass, which Kubernetes has no more since 1.22; storage.k8s.io/v1 StorageClass replaces it',
  'examples/_archived/volumes/azure_disk/claim/blob-based-disk/dedicated-hdd/storageclass-dedicated-hdd.yaml StorageClass /apiVersion is storage.k8s.io/v1beta1 StorageClass, which Kubernetes has no more since 1.22; storage.k8s.io/v1 StorageClass replaces it',
  'examples/_archived/volumes/azure_disk/claim/blob-based-disk/shared-hdd/storageclass-shared-hdd.yaml StorageClass /apiVersion is storage.k8s.io/v1beta1 StorageClass, which Kubernetes has no more since 1.22; storage.k8s.io/v1 StorageClass replaces it',
  'examples/_archived/volumes/azure_disk/claim/blob-based-disk/shared-ssd/storageclass-shared-ssd.yaml StorageClass /apiVersion is storage.k8s.io/v1beta1 StorageClass, which Kubernetes has no more since 1.22; storage.k8s.io/v1 StorageClass replaces it',
  'examples/_archived/volumes/azure_disk/claim/managed-disk/managed-hdd/storageclass-managed-hdd.yaml StorageClass /apiVersion is storage.k8s.io/v1beta1 StorageClass, which Kubernetes has no more since 1.22; storage.k8s.io/v1 StorageClass replaces it',
  'examples/_archived/volumes/azure_disk/claim/managed-disk/managed-ssd/storageclass-managed-ssd.yaml StorageClass /apiVersion is storage.k8s.io/v1beta1 StorageClass, which Kubernetes has no more since 1.22; storage.k8s.io/v1 StorageClass replaces it',
  'examples/_archived/volumes/cinder/cinder-web.yaml Pod /spec/containers/0/ports/0/protocol is "tcp"; it must be one of SCTP, TCP, UDP; did you mean "TCP"?',
  'examples/_archived/volumes/fibre_channel/fc.yaml Pod /spec/volumes/0/fc/lun is the text "<ADD LUN ID Here>"; it must be a whole number',
  'examples/_archived/volumes/flexvolume/deploy/ds.yaml DaemonSet /apiVersion is extensions/v1beta1 DaemonSet, which Kubernetes has no more since 1.16; apps/v1 DaemonSet replaces it',
  'examples/_archived/volumes/glusterfs/glusterfs-endpoints.yaml Endpoints /apiVersion is deprecated since Kubernetes 1.33',
  'examples/_archived/volumes/rbd/rbd.yaml Pod /spec/volumes/0/rbd/imageformat is no field of RBDVolumeSource',
  'examples/_archived/volumes/rbd/rbd.yaml Pod /spec/volumes/0/rbd/imagefeatures is no field of RBDVolumeSource',
  'examples/_archived/volumes/scaleio/pod.yaml Pod /spec/volumes/0/scaleIO/protectionDoamin is no field of ScaleIOVolumeSource; did you mean "protectionDomain"?',
  'examples/_archived/volumes/storageos/storageos-pod.yaml Pod /spec/volumes/0/storageos/pool is no field of StorageOSVolumeSource',
  'examples/_archived/volumes/storageos/storageos-pv.yaml PersistentVolume /spec/storageos/secretName is no field of StorageOSPersistentVolumeSource',
  'microservices-demo/kustomize/components/without-loadgenerator/delete-loadgenerator.patch.yaml Deployment /$patch is no field of Deployment',
];

test.runIf(found !== undefined)('of objects that nobody here wrote only what is wrong is said', () => {
  const objects = found ?? [];
  const api = openKubernetes(kubernetesTexts(), '1.35');
  const custom = customKinds(objects.map(({ object }) => object).filter(isDefinition));
  const unknown = new Map<string, number>();
  const said = objects.flatMap(({ file, object }) => {
    const judgement = judgeObject(api, custom, object);
    if (judgement.kind === 'judged')
      return judgement.findings.map(({ pointer, message }) => `${file} ${object.kind} ${pointer} ${message}`);
    unknown.set(object.apiVersion, (unknown.get(object.apiVersion) ?? 0) + 1);
    return [];
  });

  expect(objects.length).toBe(550);
  expect(said).toEqual(SAID);
  expect(unknown).toEqual(
    new Map([
      ['argoproj.io/v1alpha1', 2],
      ['networking.istio.io/v1alpha3', 11],
      ['gateway.networking.k8s.io/v1beta1', 4],
    ]),
  );
});
