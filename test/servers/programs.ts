/** Foreign programs that tests and measurements run, each built from the Go modules that its folder below `modules/` pins by sum. */
export interface GoProgram {
  readonly version: string;
  /** What `go build` builds, in the folder `modules/<key of the table>`. */
  readonly package: string;
  /** `-X` settings: programs that are not built from their own repository do not know their version. */
  readonly stamps: readonly string[];
  /** The names under which the one binary is started. */
  readonly names: readonly string[];
  /** Files of a module of the build, copied next to the program: `from` is a folder of that module. */
  readonly files?: readonly { readonly module: string; readonly from: string; readonly to: string }[];
}

export const GO_PROGRAMS: Readonly<Record<string, GoProgram>> = {
  age: { version: '1.3.1', package: 'filippo.io/age/cmd/age-keygen', stamps: [], names: ['age-keygen'] },
  cosign: { version: '3.1.3', package: 'github.com/sigstore/cosign/v3/cmd/cosign', stamps: [], names: ['cosign'] },
  helm: {
    version: '3.22.0',
    package: 'helm.sh/helm/v3/cmd/helm',
    stamps: ['helm.sh/helm/v3/internal/version.version=v3.22.0'],
    names: ['helm'],
  },
  kubeconform: {
    version: '0.7.0',
    package: 'github.com/yannh/kubeconform/cmd/kubeconform',
    stamps: ['main.version=v0.7.0'],
    names: ['kubeconform'],
  },
  kubernetes: {
    version: '1.35.4',
    package: '.',
    stamps: ['gitVersion=v1.35.4', 'gitMajor=1', 'gitMinor=35'].map((stamp) => `k8s.io/component-base/version.${stamp}`),
    names: ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'],
  },
  kustomize: { version: '5.8.2', package: 'sigs.k8s.io/kustomize/kustomize/v5', stamps: [], names: ['kustomize'] },
  kwok: {
    version: '0.8.0',
    package: 'sigs.k8s.io/kwok/cmd/kwok',
    stamps: [],
    names: ['kwok'],
    files: ['node', 'pod'].map((kind) => ({ module: 'sigs.k8s.io/kwok', from: `kustomize/stage/${kind}/fast`, to: `stages/${kind}` })),
  },
  registry: { version: '0.21.7', package: '.', stamps: [], names: ['referrers-registry'] },
  sops: { version: '3.13.3', package: 'github.com/getsops/sops/v3/cmd/sops', stamps: [], names: ['sops'] },
};
