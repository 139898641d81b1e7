// What a container finds: the names of the environment, device nodes and CDI devices of its groups. Pure;
// it promises nothing about the groups themselves. The kubelet replays an answer for the pod's life, over
// reboots, so with CDI the answer holds addresses only and today's node numbers live in the CDI spec.
import { assert, assertNever } from '../base/assert.ts';
import { comparePciAddresses, type PciAddress } from '../pci/address.ts';
import type { Access, Delivery, MemberRole } from '../ownership/record.ts';
import type { ResourceName } from '../policy/policy.ts';
import { cdiDeviceName } from './cdi.ts';
import type { ContainerGrant } from './door.ts';

/** One member of a group that a container gets. */
export interface DeliveredMember {
  readonly address: PciAddress;
  readonly role: MemberRole;
  /** Four lower-case hex digits. */
  readonly vendor: string;
}

/** One group that a container gets. */
export interface DeliveredGroup {
  readonly leader: PciAddress;
  readonly members: readonly DeliveredMember[];
  /** Number of the group now; goes into the answer only with delivery by device nodes. */
  readonly groupNumber: number;
}

/** One container's order. */
export interface DeliveryOrder {
  readonly resource: ResourceName;
  /** In the order of the device IDs asked for. */
  readonly groups: readonly DeliveredGroup[];
  readonly delivery: Delivery;
  readonly access: Access;
  /** Folder on the host in which `/dev` stands; "" for the host's own root. */
  readonly deviceRoot: string;
  /** One node of the host in the place of every VFIO node: a simulated kernel has none there. */
  readonly standIn?: string;
}

const permissions = 'mrw';
const containerNode = '/dev/vfio/vfio';
const nvidiaVendor = '10de';

/**
 * The grant for one container. Delivery by device nodes is by group only: the number of a device file is
 * not known before the bind (asserted; the policy's access `Auto` is resolved before).
 */
export function containerGrant(order: DeliveryOrder): ContainerGrant {
  const envs = containerEnvs(order);
  switch (order.delivery) {
    case 'cdi':
      return {
        envs,
        deviceNodes: [],
        cdiDevices: order.groups.map((group) => cdiDeviceName(order.resource, group.leader)),
      };
    case 'device-nodes': {
      assert(order.access === 'Group', 'device nodes in the answer are by group');
      return {
        envs,
        deviceNodes: groupNodes(order.groups.map((group) => group.groupNumber)).map((path) => ({
          hostPath: order.standIn ?? `${order.deviceRoot}${path}`,
          containerPath: path,
          permissions,
        })),
        cdiDevices: [],
      };
    }
    default:
      return assertNever(order.delivery, 'delivery');
  }
}

/** Container paths of the group files: the VFIO container first, then each group once, in order. */
export function groupNodes(groupNumbers: readonly number[]): readonly string[] {
  return [containerNode, ...new Set(groupNumbers.map((number) => `/dev/vfio/${number}`))];
}

/** Upper-case resource name with `/` and `.` as `_`; dashes stay: KubeVirt looks for exactly this. */
export function envResourceName(resource: string): string {
  return resource.toUpperCase().replaceAll(/[/.]/g, '_');
}

/** The environment of one container: KubeVirt's, SR-IOV's and our own names for the same addresses. */
export function containerEnvs(order: DeliveryOrder): Readonly<Record<string, string>> {
  const name = envResourceName(order.resource);
  const primaries = order.groups.flatMap((group) =>
    inAddressOrder(group.members.filter((member) => member.role === 'primary')),
  );
  const addresses = primaries.map((member) => member.address).join(',');
  const envs: Record<string, string> = {
    [`PCI_RESOURCE_${name}`]: addresses,
    [`PCIDEVICE_${name}`]: addresses,
    [`PCIDEVICE_${name}_INFO`]: JSON.stringify(deviceInfo(order)),
    [`WHOLEGROUP_${name}_MEMBERS`]: order.groups
      .flatMap((group) => inAddressOrder(group.members))
      .map((member) => member.address)
      .join(','),
  };
  // The NVIDIA runtime injects its own devices and libraries into every container unless told not to.
  if (primaries.some((member) => member.vendor === nvidiaVendor)) {
    envs['NVIDIA_VISIBLE_DEVICES'] = 'void';
  }
  return envs;
}

// The SR-IOV network device plugin's form: for each address what each provider knows about it.
function deviceInfo(order: DeliveryOrder): Record<string, object> {
  const info: Record<string, object> = {};
  for (const group of order.groups) {
    for (const member of inAddressOrder(group.members)) {
      if (member.role !== 'primary') continue;
      info[member.address] = {
        generic: { deviceID: member.address },
        ...(order.delivery === 'device-nodes'
          ? { vfio: { mount: containerNode, 'dev-mount': `/dev/vfio/${group.groupNumber}` } }
          : {}),
      };
    }
  }
  return info;
}

function inAddressOrder(members: readonly DeliveredMember[]): readonly DeliveredMember[] {
  return [...members].sort((a, b) => comparePciAddresses(a.address, b.address));
}
