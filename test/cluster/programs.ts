// The programs that the cluster tests build from Go modules: what, which version, how. Data only; build.ts builds.
// Each has a folder under binaries/ with the go.mod and go.sum that pin every module of it.

/** One build: a Go module of ours in binaries/NAME, and what comes out of it. */
export interface Program {
  readonly name: string;
  readonly version: string;
  /** Packages to build, each into a binary that has the last part of its path as its name. */
  readonly packages: readonly string[];
  /** Names under which the binary of the same name as the program is called too. */
  readonly alsoCalled: readonly string[];
  /** Variables that the linker sets: the version that the program tells. */
  readonly variables: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly cgo: boolean;
  /** How long a first build takes on two cores; for the person who waits. */
  readonly takes: string;
}

const kubernetesVersion = '1.37.2';

function kubernetesVariables(version: string): Record<string, string> {
  const [major = '', minor = ''] = version.split('.');
  const values = {
    gitVersion: `v${version}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'wholegroup',
    buildDate: '2026-01-01T00:00:00Z',
  };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  return Object.fromEntries(
    packages.flatMap((path) =>
      Object.entries(values).map(([name, value]) => [`${path}.${name}`, value]),
    ),
  );
}

/** Everything that can be built. */
export const programs = {
  kubernetes: {
    name: 'kubernetes',
    version: kubernetesVersion,
    packages: ['.'],
    alsoCalled: [
      ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
      ...['kube-proxy', 'kubelet', 'kubectl', 'kubeadm'],
    ],
    variables: kubernetesVariables(kubernetesVersion),
    tags: [],
    cgo: false,
    takes: 'about 9 minutes',
  },
} as const satisfies Readonly<Record<string, Program>>;

/** The name of something that can be built. */
export type ProgramName = keyof typeof programs;
