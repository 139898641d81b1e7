// Containers: groups join and leave, the backend is chosen (drivers/vfio/container.c, vfio_iommu_type1.c).
import type { Errno } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { Container } from '../objects/container.ts';
import type { VfioGroup } from '../objects/vfio-device.ts';
import { claimGroup, isDirectMapped, releaseGroup } from './ownership.ts';

/** VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU, VFIO_TYPE1_NESTING_IOMMU, VFIO_UNMAP_ALL, VFIO_NOIOMMU_IOMMU. */
const type1 = 1;
const type1v2 = 3;
const nesting = 6;
const unmapAll = 9;
const noiommuType = 8;

/** vfio_iommu_type1_attach_group, as far as it can refuse. */
function attachBackend(machine: Machine, group: VfioGroup): Errno | null {
  if (group.noiommu || group.group === null) return null;
  const msiIsolated = machine.spec.iommu.interruptRemapping || machine.unsafeInterruptsAllowed;
  if (!machine.profile.ownership && isDirectMapped(group.group)) return 'EPERM';
  if (!msiIsolated) return 'EPERM';
  group.group.domain = 'user';
  return null;
}

/** vfio_container_attach_group: claims the group's DMA and joins the address space. */
export function attachContainer(
  machine: Machine,
  container: Container,
  group: VfioGroup,
): Errno | null {
  if (group.group === null) return 'ENODEV';
  if (container.groups.length > 0 && container.noiommu !== group.noiommu) return 'EPERM';
  const claims = !group.noiommu && machine.profile.ownership;
  if (claims) {
    const refusal = claimGroup(machine, group.group, group);
    if (refusal !== null) return refusal;
  }
  if (container.backend !== null) {
    const refusal = attachBackend(machine, group);
    if (refusal !== null) {
      if (claims) releaseGroup(group.group);
      return refusal;
    }
  }
  group.container = container;
  group.containerUsers = 1;
  container.noiommu = group.noiommu;
  container.groups.push(group);
  return null;
}

/** vfio_group_detach_container: the last group takes the backend with it. */
export function detachContainer(group: VfioGroup): void {
  const { container } = group;
  if (container === null) return;
  if (group.group !== null && !group.noiommu) {
    if (group.group.owner === group) releaseGroup(group.group);
    else group.group.domain = 'default';
  }
  group.container = null;
  group.containerUsers = 0;
  container.groups.splice(container.groups.indexOf(group), 1);
  if (container.groups.length === 0) container.backend = null;
}

/** Which errno, if any, opening a backend of this type gives. */
function openBackend(machine: Machine, container: Container, type: number): Errno | null {
  if (container.noiommu) return type === noiommuType ? null : 'ENODEV';
  if (type === type1 || type === type1v2) return null;
  if (type === nesting) return machine.profile.nestingType ? null : 'ENODEV';
  // Extensions that are known but no types.
  return type === unmapAll ? 'EINVAL' : 'ENODEV';
}

/** VFIO_SET_IOMMU. */
export function setIommu(machine: Machine, container: Container, type: number): Errno | null {
  if (container.groups.length === 0 || container.backend !== null) return 'EINVAL';
  const refusal = openBackend(machine, container, type);
  if (refusal !== null) return refusal;
  for (const group of container.groups) {
    const failure = attachBackend(machine, group);
    if (failure === null) continue;
    // Ownership is kept: the groups stay in the container, without a backend.
    for (const other of container.groups) {
      if (other.group !== null && other.group.domain === 'user') other.group.domain = 'blocking';
    }
    return failure;
  }
  container.backend = type;
  return null;
}
