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
  /** A library that its C code is linked against: its name for pkg-config, and the Debian package that has it. */
  readonly library?: { readonly name: string; readonly debian: string };
  /** How long a first build takes on two cores; for the person who waits. */
  readonly takes: string;
  /** Another folder under binaries/, whose go.mod and go.sum are used in place of its own. */
  readonly modules?: string;
}

/** The Kubernetes that can be built, the usual one first: version, and folder of its modules where it is not its own. */
const kubernetesPins: readonly { readonly version: string; readonly modules?: string }[] = [
  { version: '1.37.2' },
  { version: '1.35.4', modules: 'kubernetes-1.35' },
];

/** The one that KUBERNETES_VERSION names, whole or by its minor; the usual one without it. Throws when there is none. */
export function chosenKubernetes(wanted: string | undefined): (typeof kubernetesPins)[number] {
  const fits = (version: string): boolean =>
    wanted === undefined ||
    wanted === '' ||
    `${version}.`.startsWith(`${wanted.replace(/^v/, '')}.`);
  const pin = kubernetesPins.find(({ version }) => fits(version));
  if (pin !== undefined) return pin;
  const known = kubernetesPins.map(({ version }) => version).join(', ');
  throw new Error(`KUBERNETES_VERSION=${wanted}: there are ${known}`);
}

const kubernetesPin = chosenKubernetes(process.env['KUBERNETES_VERSION']);
/** Version of the Kubernetes of this process. */
export const kubernetesVersion = kubernetesPin.version;

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

type Particular = Pick<Program, 'packages' | 'takes'> &
  Partial<Pick<Program, 'variables' | 'tags' | 'cgo' | 'library'>>;

/** A program as it comes from its own module: most need nothing said. */
function goTool(name: string, version: string, particular: Particular): Program {
  const usual = { alsoCalled: [], variables: {}, tags: [], cgo: false };
  return { name, version, ...usual, ...particular };
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
    ...(kubernetesPin.modules === undefined ? {} : { modules: kubernetesPin.modules }),
  },
  helm: goTool('helm', '4.3.1', {
    packages: ['helm.sh/helm/v4/cmd/helm'],
    variables: { 'helm.sh/helm/v4/internal/version.version': 'v4.3.1' },
    takes: 'about 2 minutes',
  }),
  /** The chart is for both; Helm 3 gets no more fixes since November 2026. */
  helm3: goTool('helm3', '3.22.0', {
    packages: ['helm.sh/helm/v3/cmd/helm'],
    variables: { 'helm.sh/helm/v3/internal/version.version': 'v3.22.0' },
    takes: 'about 2 minutes',
  }),
  kubeconform: goTool('kubeconform', '0.8.0', {
    packages: ['github.com/yannh/kubeconform/cmd/kubeconform'],
    takes: 'a few seconds',
  }),
  containerd: goTool('containerd', '2.4.2', {
    packages: ['containerd', 'containerd-shim-runc-v2', 'ctr'].map(
      (name) => `github.com/containerd/containerd/v2/cmd/${name}`,
    ),
    variables: {
      'github.com/containerd/containerd/v2/version.Version': 'v2.4.2',
      'github.com/containerd/containerd/v2/version.Revision': 'wholegroup',
    },
    tags: ['no_btrfs', 'no_zfs', 'no_devmapper', 'no_tracing'],
    takes: 'about a minute',
  }),
  runc: goTool('runc', '1.5.2', {
    packages: ['github.com/opencontainers/runc'],
    variables: { 'main.version': '1.5.2' },
    tags: ['seccomp', 'netgo', 'osusergo'],
    // Static: the C part that enters namespaces runs before any library could be found there.
    cgo: true,
    library: { name: 'libseccomp', debian: 'libseccomp-dev' },
    takes: 'half a minute',
  }),
  cni: goTool('cni', '1.9.1', {
    packages: ['main/ptp', 'main/loopback', 'ipam/host-local'].map(
      (name) => `github.com/containernetworking/plugins/plugins/${name}`,
    ),
    takes: 'a few seconds',
  }),
  kind: goTool('kind', '0.33.0', {
    packages: ['sigs.k8s.io/kind'],
    takes: 'a few seconds',
  }),
  krew: goTool('krew', '0.4.3', {
    packages: ['sigs.k8s.io/krew/cmd/krew'],
    takes: 'about a minute',
  }),
  /** The docker engine; its version as its own modules count. */
  dockerd: goTool('dockerd', '2.0.0-beta.24', {
    packages: ['dockerd', 'docker-proxy'].map((name) => `github.com/moby/moby/v2/cmd/${name}`),
    variables: { 'github.com/moby/moby/v2/dockerversion.Version': '29-v2.0.0-beta.24' },
    tags: ['exclude_graphdriver_btrfs', 'exclude_graphdriver_zfs', 'no_systemd'],
    takes: 'about 3 minutes',
  }),
} as const satisfies Readonly<Record<string, Program>>;

/** The name of something that can be built. */
export type ProgramName = keyof typeof programs;
