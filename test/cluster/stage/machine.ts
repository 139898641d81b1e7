// The machine that every node of a scenario simulates, and the policies that offer what is in it.
import type { ApiCall } from '../../api/support/api-call.ts';

/** Leaders of its groups. */
export const groups = {
  /** A graphics card with its sound function. */
  gpu: '0000:01:00.0',
  /** Network cards that nobody uses. */
  nicA: '0000:02:00.0',
  nicB: '0000:03:00.0',
  /** A disk that is mounted. */
  disk: '0000:04:00.0',
  /** Two functions without a driver. */
  accelerator: '0000:06:00.0',
} as const;

/** The card's sound function. */
export const sound = '0000:01:00.1';

/** Resources that the policies offer. */
export const resources = {
  gpu: 'example.com/gpu',
  nic: 'example.com/nic',
  disk: 'example.com/disk',
  accelerator: 'example.com/accelerator',
} as const;

/** The machine, in the form of docs/reference/topology.md. */
export const topology = `topology: 1
description: graphics card with sound, two free network cards, a mounted disk, the host's own network card
kernel: {profile: "6.12"}
iommu: {kind: intel}
devices:
  0000:00:01.0: {id: 8086:a70d, class: 060400}
  0000:00:02.0: {id: 8086:a70e, class: 060400}
  0000:01:00.0:
    {parent: 0000:00:01.0, id: 10de:2684, class: 030000, driver: nvidia, numa: 0}
  0000:01:00.1:
    {parent: 0000:00:01.0, id: 10de:22ba, class: 040300, driver: snd_hda_intel, resets: [], sound: {card: 1}, numa: 0}
  0000:02:00.0: {id: 8086:1572, class: 020000, driver: i40e, numa: 0, net: [{name: ens2}]}
  0000:03:00.0: {id: 8086:1572, class: 020000, driver: i40e, numa: 1, net: [{name: ens3}]}
  0000:04:00.0:
    id: 144d:a80a
    class: 010802
    driver: nvme
    nvme: nvme0
    block: [{name: nvme0n1, sectors: 1953525168}]
  0000:05:00.0:
    {id: 8086:15f3, class: 020000, driver: igc, net: [{name: eth0, up: true, addresses: [192.0.2.21/24]}]}
  0000:06:00.0: {id: 1ae0:0027, class: 120000}
  0000:06:00.1: {id: 1ae0:0028, class: 120000}
mounts:
  - {source: nvme0n1, target: /, fsType: ext4}
routes:
  - {destination: 0.0.0.0/0, gateway: 192.0.2.1, iface: eth0}
  - {destination: 192.0.2.0/24, iface: eth0}
`;

/** A policy object. */
export function policy(name: string, spec: Readonly<Record<string, unknown>>): object {
  const metadata = { name };
  return { apiVersion: 'wholegroup.dev/v1alpha1', kind: 'PassthroughPolicy', metadata, spec };
}

/** Who the device nodes of the accelerators belong to, in the container. */
export const ownerOfNodes = 1000;

/** The policies of all scenarios. */
export const policies: readonly object[] = [
  policy('gpu', { resourceName: resources.gpu, devices: [{ vendor: '10de', device: '2684' }] }),
  policy('nic', { resourceName: resources.nic, devices: [{ vendor: '8086', device: '1572' }] }),
  policy('disk', { resourceName: resources.disk, devices: [{ class: '0108' }] }),
  policy('accelerator', {
    resourceName: resources.accelerator,
    devices: [{ vendor: '1ae0', device: '0027' }],
    deviceNodes: { uid: ownerOfNodes, gid: ownerOfNodes, mode: '0660' },
  }),
];

/** Path of policies at the API server. */
export const policiesPath = '/apis/wholegroup.dev/v1alpha1/passthroughpolicies';

/** Path of the object of a group. */
export function groupPath(node: string, leader: string): string {
  const name = `${node}-${leader.replaceAll(/[:.]/g, '-')}`;
  return `/apis/wholegroup.dev/v1alpha1/iommugroups/${name}`;
}

/** A request without its token. */
export type Asked = Omit<ApiCall, 'token'>;
