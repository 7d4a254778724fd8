/** Groups of files that programs read as their configuration; no cluster serves them. */
const TOOLS: ReadonlyMap<string, string> = new Map([
  ['kustomize.config.k8s.io', 'is a kustomization: `--from kustomize` brings it'],
  ['kubelet.config.k8s.io', 'configures the kubelet'],
  ['kubeproxy.config.k8s.io', 'configures kube-proxy'],
  ['kubescheduler.config.k8s.io', 'configures the scheduler'],
  ['kubeadm.k8s.io', 'configures kubeadm'],
  ['audit.k8s.io', 'configures auditing of the server'],
  ['apiserver.config.k8s.io', 'configures the server'],
  ['apiserver.k8s.io', 'configures the server'],
  ['client.authentication.k8s.io', 'configures a client'],
  ['kind.x-k8s.io', 'configures kind'],
  ['k3d.io', 'configures k3d'],
  ['eksctl.io', 'configures eksctl'],
  ['ctlptl.dev', 'configures ctlptl'],
  ['skaffold', 'configures skaffold'],
  ['config.linkerd.io', 'configures a tool'],
]);

/** Why a document with apiVersion and kind is still no object of a cluster; undefined when it can be one. */
export function foreignTo(apiVersion: string, kind: string): string | undefined {
  if (apiVersion === 'v1' && kind === 'Config') return 'is a kubeconfig: it names clusters and may hold credentials';
  if (apiVersion.startsWith('capstan.dev/')) return 'is a declaration of Capstan already';
  return TOOLS.get(apiVersion.split('/')[0] ?? '');
}
