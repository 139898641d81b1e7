// One row for every value of the chart: another value than the default, and where it must show. A value without a row
// fails the test, so none is left that does nothing.

/** `set` is JSON; `shows` is a path in an object (`Kind name path`) and what must be there, or not there. */
export interface ValueRow {
  readonly value: string;
  readonly set: string;
  readonly shows: readonly (readonly [where: string, what: unknown])[];
  /** Values without which it has no effect. */
  readonly with?: readonly string[];
}

const agent = 'DaemonSet wholegroup-agent';
const controller = 'Deployment wholegroup-controller';
const kernel = 'DaemonSet wholegroup-simulated-kernel';
const pod = 'spec.template.spec';
const first = `${pod}.containers.0`;
const simulated = ['simulatedKernel.enabled=true'];
/** Somewhere in a list, that is a text. */
const has = (text: string) => ({ has: text });
const digest = `sha256:${'ab'.repeat(32)}`;
const affinity = { nodeAffinity: {} };
const resources = { limits: { memory: '1Gi' } };
const volume = (name: string) => ({ volume: name });

/** Values that agent and controller both have. */
function ofComponent(name: 'agent' | 'controller', where: string): readonly ValueRow[] {
  const row = (value: string, set: unknown, path: string, what: unknown): ValueRow => ({
    value: `${name}.${value}`,
    set: JSON.stringify(set),
    shows: [[`${where} ${path}`, what]],
  });
  return [
    row('logLevel', 'debug', `${first}.args`, has('--log-level=debug')),
    {
      ...row('port', 9000, `${first}.args`, has('--listen=0.0.0.0:9000')),
      shows: [
        [`${where} ${first}.args`, has('--listen=0.0.0.0:9000')],
        [`${where} ${first}.ports.0.containerPort`, 9000],
        [`NetworkPolicy wholegroup-${name} spec.ingress.0.ports.0.port`, 9000],
      ],
    },
    row('listenAddress', '[::]', `${first}.args`, has('--listen=[::]:9643')),
    row('priorityClassName', 'low', `${pod}.priorityClassName`, 'low'),
    row('nodeSelector', { gpu: 'a40' }, `${pod}.nodeSelector`, { gpu: 'a40' }),
    row('affinity', affinity, `${pod}.affinity`, affinity),
    row('tolerations', [{ key: 'x' }], `${pod}.tolerations`, [{ key: 'x' }]),
    row('resources', resources, `${first}.resources.limits.memory`, '1Gi'),
    row('podAnnotations', { a: 'b' }, 'spec.template.metadata.annotations.a', 'b'),
    row('podLabels', { a: 'b' }, 'spec.template.metadata.labels.a', 'b'),
    row('extraArgs', ['--api=none'], `${first}.args`, has('--api=none')),
  ];
}

/** All rows. */
export const valueRows: readonly ValueRow[] = [
  {
    value: 'image.repository',
    set: '"r.example/wg"',
    shows: [[`${agent} ${first}.image`, 'r.example/wg:0.1.0']],
  },
  {
    value: 'image.tag',
    set: '"7"',
    shows: [[`${controller} ${first}.image`, 'localhost/wholegroup:7']],
  },
  {
    value: 'image.digest',
    set: JSON.stringify(digest),
    shows: [[`${agent} ${first}.image`, `localhost/wholegroup@${digest}`]],
  },
  {
    value: 'image.pullPolicy',
    set: '"Never"',
    with: simulated,
    shows: [agent, controller, kernel].map(
      (where) => [`${where} ${first}.imagePullPolicy`, 'Never'] as const,
    ),
  },
  {
    value: 'imagePullSecrets',
    set: '["s"]',
    with: simulated,
    shows: [
      ...[agent, controller, kernel].map(
        (where) => [`${where} ${pod}.imagePullSecrets`, [{ name: 's' }]] as const,
      ),
      ['Pod wholegroup-test spec.imagePullSecrets', [{ name: 's' }]],
    ],
  },
  {
    value: 'crds.install',
    set: 'false',
    shows: [['CustomResourceDefinition iommugroups.wholegroup.dev kind', undefined]],
  },
  {
    value: 'admissionPolicies.enabled',
    set: 'false',
    shows: [['ValidatingAdmissionPolicy wholegroup-agent-own-node kind', undefined]],
  },
  {
    value: 'kubelet.dir',
    set: '"/var/lib/k0s/kubelet"',
    shows: [
      [`${agent} ${pod}.volumes`, volume('/var/lib/k0s/kubelet/device-plugins')],
      [`${agent} ${pod}.volumes`, volume('/var/lib/k0s/kubelet/pod-resources')],
    ],
  },
  {
    value: 'cdi.dir',
    set: '"/etc/cdi"',
    shows: [[`${agent} ${pod}.volumes`, volume('/etc/cdi')]],
  },
  {
    value: 'delivery',
    set: '"device-nodes"',
    shows: [[`${agent} ${first}.args`, has('--delivery=device-nodes')]],
  },
  ...ofComponent('agent', agent),
  {
    value: 'agent.stateDir',
    set: '"/data/wholegroup"',
    shows: [[`${agent} ${pod}.volumes`, volume('/data/wholegroup')]],
  },
  {
    value: 'agent.kubeletReadySeconds',
    set: '5',
    shows: [[`${agent} ${first}.args`, has('--kubelet-ready-seconds=5')]],
  },
  {
    value: 'agent.capabilities',
    set: '["SYS_PTRACE"]',
    shows: [[`${agent} ${first}.securityContext.capabilities.add`, ['SYS_PTRACE']]],
  },
  {
    value: 'agent.seLinuxType',
    set: '"spc_t"',
    shows: [[`${agent} ${pod}.securityContext.seLinuxOptions.type`, 'spc_t']],
  },
  {
    value: 'agent.updateStrategy',
    set: '{"type": "OnDelete", "rollingUpdate": null}',
    shows: [[`${agent} spec.updateStrategy.type`, 'OnDelete']],
  },
  {
    value: 'agent.terminationGracePeriodSeconds',
    set: '7',
    shows: [[`${agent} ${pod}.terminationGracePeriodSeconds`, 7]],
  },
  ...ofComponent('controller', controller),
  {
    value: 'controller.replicas',
    set: '1',
    shows: [
      [`${controller} spec.replicas`, 1],
      ['PodDisruptionBudget wholegroup-controller kind', undefined],
    ],
  },
  {
    value: 'networkPolicy.enabled',
    set: 'false',
    shows: [['NetworkPolicy wholegroup-agent kind', undefined]],
  },
  {
    value: 'networkPolicy.metricsFrom',
    set: '[{"podSelector": {}}]',
    shows: [['NetworkPolicy wholegroup-controller spec.ingress.0.from', [{ podSelector: {} }]]],
  },
  {
    value: 'networkPolicy.apiServerPorts',
    set: '[16443]',
    shows: [['NetworkPolicy wholegroup-agent spec.egress.0.ports.0.port', 16_443]],
  },
  {
    value: 'monitoring.podMonitor',
    set: 'true',
    shows: [['PodMonitor wholegroup kind', 'PodMonitor']],
  },
  {
    value: 'monitoring.prometheusRule',
    set: 'true',
    shows: [['PrometheusRule wholegroup spec.groups.0.name', 'wholegroup']],
  },
  {
    value: 'monitoring.labels',
    set: '{"release": "kps"}',
    with: ['monitoring.podMonitor=true', 'monitoring.prometheusRule=true'],
    shows: [
      ['PodMonitor wholegroup metadata.labels.release', 'kps'],
      ['PrometheusRule wholegroup metadata.labels.release', 'kps'],
    ],
  },
  {
    value: 'monitoring.interval',
    set: '"5s"',
    with: ['monitoring.podMonitor=true'],
    shows: [['PodMonitor wholegroup spec.podMetricsEndpoints.0.interval', '5s']],
  },
  {
    value: 'monitoring.dashboard.enabled',
    set: 'true',
    shows: [['ConfigMap wholegroup-dashboard kind', 'ConfigMap']],
  },
  {
    value: 'monitoring.dashboard.labels',
    set: '{"grafana_dashboard": "2"}',
    with: ['monitoring.dashboard.enabled=true'],
    shows: [['ConfigMap wholegroup-dashboard metadata.labels.grafana_dashboard', '2']],
  },
  {
    value: 'simulatedKernel.enabled',
    set: 'true',
    shows: [
      [`${kernel} ${first}.args`, has('--topology=gpu-workstation')],
      [`${agent} ${first}.args`, has('--kernel=unix:///run/wholegroup/sim.sock')],
      [`${agent} ${first}.securityContext.capabilities.add`, undefined],
    ],
  },
  {
    value: 'simulatedKernel.topology',
    set: '"two-numa"',
    with: simulated,
    shows: [[`${kernel} ${first}.args`, has('--topology=two-numa')]],
  },
  {
    value: 'simulatedKernel.profile',
    set: '"6.1"',
    with: simulated,
    shows: [[`${kernel} ${first}.args`, has('--profile=6.1')]],
  },
  {
    value: 'simulatedKernel.dir',
    set: '"/run/other"',
    with: simulated,
    shows: [kernel, agent].map(
      (where) => [`${where} ${pod}.volumes`, volume('/run/other')] as const,
    ),
  },
  {
    value: 'simulatedKernel.resources',
    set: JSON.stringify(resources),
    with: simulated,
    shows: [[`${kernel} ${first}.resources.limits.memory`, '1Gi']],
  },
];
