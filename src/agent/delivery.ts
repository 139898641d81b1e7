// From records to what a container gets: the grant of one Allocate, what of it is remembered, and the CDI
// spec of a group at the start of a container.
import type { VfioNodes } from '../host/host.ts';
import { cdiSpec, type CdiNode, type CdiSpec, containerPathOf } from '../kubelet/cdi.ts';
import { containerGrant, type DeliveredGroup, groupNodes } from '../kubelet/delivery.ts';
import type { ContainerGrant } from '../kubelet/door.ts';
import type { Access, Delivery, GroupRecord, RecordedAnswer } from '../ownership/record.ts';
import type { ResourceName } from '../policy/policy.ts';

/** How devices are delivered on this node. */
export interface DeliveryMode {
  readonly delivery: Delivery;
  /** Folder on the host in which `/dev` stands; "" for the host's own root. */
  readonly deviceRoot: string;
  /** One node of the host in the place of every VFIO node: a simulated kernel has none there. */
  readonly standIn?: string;
}

/** What Allocate promises for one group, to be recorded: device nodes are named only without CDI. */
export function answerFor(mode: DeliveryMode, groupNumber: number, access: Access): RecordedAnswer {
  const nodes = mode.delivery === 'device-nodes' ? groupNodes([groupNumber]) : [];
  return { delivery: mode.delivery, access, deviceNodes: nodes };
}

/** The grant for one container that gets all of these groups, in the order asked for. */
export function grantFor(
  mode: DeliveryMode,
  resource: ResourceName,
  records: readonly GroupRecord[],
): ContainerGrant {
  const groups: DeliveredGroup[] = records.map(({ leader, members, groupNumber }) => ({
    leader,
    members,
    groupNumber,
  }));
  const access = records[0]?.answer?.access ?? 'Group';
  return containerGrant({ resource, groups, access, ...mode });
}

/** The CDI spec of a group with today's nodes. Never both kinds of access together. */
export function specFor(mode: DeliveryMode, record: GroupRecord, nodes: VfioNodes): CdiSpec {
  const paths =
    record.answer?.access === 'Cdev'
      ? ['/dev/iommu', ...nodes.devices.map((device) => device.path)]
      : ['/dev/vfio/vfio', ...(nodes.group === null ? [] : [nodes.group])];
  const cdiNodes: CdiNode[] = paths.map((path) => {
    if (mode.standIn !== undefined) return { path, hostPath: mode.standIn, numbers: null };
    const hostPath = `${mode.deviceRoot}${path}`;
    return { path: containerPathOf(hostPath, mode.deviceRoot) ?? path, hostPath, numbers: null };
  });
  return cdiSpec({
    resource: record.resourceName as ResourceName,
    leader: record.leader,
    nodes: cdiNodes,
    owner: record.nodeOwner,
    env: {},
  });
}
