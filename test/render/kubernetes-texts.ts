import type { KubernetesTexts } from '#model/kubernetes-shapes.ts';
import { KUBERNETES_LIVES, KUBERNETES_NEWEST, KUBERNETES_OLDER, KUBERNETES_SOURCES } from '#model/kubernetes.generated.ts';

export function kubernetesTexts(): KubernetesTexts {
  return { sources: KUBERNETES_SOURCES, newest: KUBERNETES_NEWEST, older: KUBERNETES_OLDER, lives: KUBERNETES_LIVES };
}
