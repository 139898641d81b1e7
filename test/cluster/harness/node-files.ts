// What a node's containerd, network plugins and kubelet read, as texts.

/** Where a node keeps things and what it is called. */
export interface NodePlace {
  readonly name: string;
  /** 1 and up: the last part of its address. */
  readonly index: number;
  /** Folder with the CNI plugins. */
  readonly cni: string;
  /** Path of runc. */
  readonly runc: string;
}

/** The image that keeps a pod's namespaces. */
export const sandboxImage = 'wholegroup.test/busybox:1';

/** Address of the cluster's own machine on the bridge. */
export const hubAddress = '192.168.77.254';
/** The node's address on the bridge. */
export const addressOf = (index: number): string => `192.168.77.${index}`;
/** Its pods' addresses. */
export const podsOf = (index: number): string => `10.244.${index}.0/24`;

/** containerd's configuration. */
export function containerdToml({ cni, runc }: NodePlace): string {
  return `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "${sandboxImage}"
[plugins.'io.containerd.cri.v1.runtime']
  # Without CAP_SYS_RESOURCE no score can be lowered.
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  enable_cdi = true
  cdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["${cni}"]
    conf_dir = "/etc/cni/net.d"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = "${runc}"
        SystemdCgroup = false
`;
}

/** The network of pods with addresses from `subnet`: one pair of devices each, routed, nothing translated. */
export function podNetwork(subnet: string): string {
  const ipam = {
    type: 'host-local',
    dataDir: '/run/cni-addresses',
    ranges: [[{ subnet }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const plugins = [{ type: 'ptp', ipMasq: false, ipam }];
  return JSON.stringify({ cniVersion: '1.0.0', name: 'pods', plugins });
}

/** That of a node. */
export function networkPlugins({ index }: NodePlace): string {
  return podNetwork(podsOf(index));
}

/** The kubelet's configuration, as JSON, which is YAML; `more` replaces fields of the first level. */
export function kubeletConfiguration(
  caFile: string,
  more: Readonly<Record<string, unknown>>,
): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: caFile },
    },
    authorization: { mode: 'Webhook' },
    resolvConf: '',
    failSwapOn: false,
    evictionHard: { 'memory.available': '100Mi' },
    imageGCHighThresholdPercent: 100,
    enforceNodeAllocatable: ['pods'],
    staticPodPath: '/etc/kubernetes/manifests',
    fileCheckFrequency: '1s',
    // 10 s by default: what is allocatable would show as late.
    nodeStatusUpdateFrequency: '1s',
    // Programs that tests kill are back at once.
    crashLoopBackOff: { maxContainerRestartPeriod: '1s' },
    ...more,
  });
}
