// Groups of the agent's machine (test/kernel/rig/shapes.ts) that can be claimed, and the policies that offer them.

/** One group that a policy offers. */
export interface FlowGroup {
  readonly name: string;
  readonly leader: string;
  readonly resource: string;
  /** Lines of the policy's spec, beside the resource name. */
  readonly spec: readonly string[];
}

const byAddress = (name: string, leader: string): FlowGroup => ({
  name,
  leader,
  resource: `example.com/${name}`,
  spec: [`devices: [{address: "${leader}"}]`],
});

/** The groups, by what they are. */
export const flowGroups = {
  nvme: byAddress('nvme', '0000:01:00.0'),
  nic: byAddress('nic', '0000:03:00.0'),
  twoFunctions: {
    ...byAddress('two-functions', '0000:04:00.0'),
    spec: ['devices: [{slot: "0000:04:00"}]', 'primaries: {min: 2, max: 2}'],
  },
  behindBridge: {
    ...byAddress('behind-bridge', '0000:06:01.0'),
    spec: ['devices: [{address: "0000:06:01.0"}]', 'companions: Any'],
  },
  physicalFunction: byAddress('physical-function', '0000:07:00.0'),
  virtualFunction: {
    ...byAddress('virtual-function', '0000:07:10.0'),
    spec: ['devices: [{physicalFunction: "0000:07:00.0"}]'],
  },
  virtioDisk: byAddress('virtio-disk', '0000:08:00.0'),
  virtioNic: byAddress('virtio-nic', '0000:09:00.0'),
} as const satisfies Readonly<Record<string, FlowGroup>>;

/** All policies as one file; `access`: how devices are given out, where it is not left open. */
export function policiesText(access: string | null = null): string {
  return Object.values(flowGroups)
    .map(({ name, resource, spec }) =>
      [
        'apiVersion: wholegroup.dev/v1alpha1',
        'kind: PassthroughPolicy',
        `metadata: {name: ${name}}`,
        'spec:',
        `  resourceName: ${resource}`,
        ...[...spec, ...(access === null ? [] : [`access: ${access}`])].map((line) => `  ${line}`),
        '',
      ].join('\n'),
    )
    .join('---\n');
}
