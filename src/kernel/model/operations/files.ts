// open(2), close(2) and the ioctls of VFIO and iommufd, as any simulated process (drivers/vfio/{group,
// vfio_main,device_cdev}.c, drivers/iommu/iommufd). Every answer is a number or an errno; wrong kinds of
// files answer as their own ioctl handlers do.
import type { Errno } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import { Container } from '../objects/container.ts';
import { IommufdContext } from '../objects/iommufd.ts';
import { OpenFile } from '../objects/open-file.ts';
import type { Process } from '../objects/process.ts';
import type { VfioGroup } from '../objects/vfio-device.ts';
import { resolve } from '../tree.ts';
import { attachContainer, detachContainer, setIommu } from './container.ts';
import { openCdev } from './device-file.ts';
import { legacyViable } from './legacy.ts';
import { isClaimed } from './ownership.ts';
import { notThatKind, refused, returned, zeroOr, type Returned } from './returned.ts';

/** What GET_STATUS tells. */
export interface GroupStatus {
  readonly viable: boolean;
  readonly containerSet: boolean;
}

/** vfio_group_fops_open. */
function openGroup(machine: Machine, name: string): OpenFile | Errno {
  const group = machine.vfioGroups.find((candidate) => candidate.name === name);
  if (group === undefined) return 'ENXIO';
  if (group.drivers === 0) return 'ENODEV';
  if (group.cdevOpenCount > 0 || group.openedFile !== null) return 'EBUSY';
  const file = new OpenFile({ kind: 'group', group }, `/dev/vfio/${name}`, () =>
    releaseGroupFile(group),
  );
  group.openedFile = file;
  return file;
}

/** vfio_group_fops_release: runs when the last device file has gone as well. */
function releaseGroupFile(group: VfioGroup): void {
  if (group.container !== null) detachContainer(group);
  group.iommufd = null;
  group.openedFile = null;
}

/** The file behind a device node, or why it cannot be opened. */
function openNode(machine: Machine, opens: string, path: string): OpenFile | Errno {
  const at = opens.indexOf(':');
  const kind = at < 0 ? opens : opens.slice(0, at);
  const name = at < 0 ? '' : opens.slice(at + 1);
  switch (kind) {
    case 'vfio-container':
      return new OpenFile(
        { kind: 'container', container: new Container() },
        '/dev/vfio/vfio',
        null,
      );
    case 'vfio-group':
      return openGroup(machine, name);
    case 'vfio-device':
      return openCdev(machine, name);
    case 'iommufd':
      return new OpenFile(
        { kind: 'iommufd', context: new IommufdContext(machine.ids('iommufd').take()) },
        '/dev/iommu',
        null,
      );
    default:
      return new OpenFile({ kind: 'other' }, path, null);
  }
}

/** open(path, O_RDWR): a descriptor of the process. */
export function openFile(machine: Machine, process: Process, path: string): Returned {
  const found = resolve(machine.surface.root, path);
  if (!found.ok) return refused(found.errno);
  const { node } = found;
  switch (node.kind) {
    case 'dir':
      return refused('EISDIR');
    case 'link':
      return refused('ELOOP');
    case 'file':
      if (node.read === undefined || node.write === undefined) return refused('EACCES');
      return returned(process.install(new OpenFile({ kind: 'other' }, path, null)));
    case 'device': {
      const file = openNode(machine, node.opens, path);
      return typeof file === 'string' ? refused(file) : returned(process.install(file));
    }
  }
}

/** close(2). */
export function closeFile(process: Process, fd: number): Returned {
  const file = process.files.get(fd);
  if (file === undefined) return refused('EBADF');
  process.files.delete(fd);
  file.put();
  return returned(0);
}

function groupOf(process: Process, fd: number): VfioGroup | Errno {
  const file = process.files.get(fd);
  if (file === undefined) return 'EBADF';
  return file.what.kind === 'group' ? file.what.group : notThatKind(file);
}

/** VFIO_GROUP_GET_STATUS. */
export function groupStatus(machine: Machine, process: Process, fd: number): GroupStatus | Errno {
  const group = groupOf(process, fd);
  if (typeof group === 'string') return group;
  if (group.group === null) return 'ENODEV';
  const containerSet = group.container !== null || group.iommufd !== null;
  if (!machine.profile.ownership) return { viable: legacyViable(group.group), containerSet };
  return { viable: containerSet || !isClaimed(group.group), containerSet };
}

/** VFIO_GROUP_SET_CONTAINER with a container, or with an iommufd file (which claims nothing yet). */
export function setContainer(
  machine: Machine,
  process: Process,
  fds: { readonly group: number; readonly container: number },
): Returned {
  const group = groupOf(process, fds.group);
  if (typeof group === 'string') return refused(group);
  const file = process.files.get(fds.container);
  if (file === undefined) return refused('EBADF');
  if (group.container !== null || group.iommufd !== null) return refused('EINVAL');
  if (group.group === null) return refused('ENODEV');
  if (file.what.kind === 'container')
    return zeroOr(attachContainer(machine, file.what.container, group));
  if (file.what.kind !== 'iommufd') return refused('EBADFD');
  group.iommufd = file.what.context;
  file.what.context.standsForContainer = true;
  return returned(0);
}

/** VFIO_GROUP_UNSET_CONTAINER. */
export function unsetContainer(process: Process, fd: number): Returned {
  const group = groupOf(process, fd);
  if (typeof group === 'string') return refused(group);
  if (group.container === null && group.iommufd === null) return refused('EINVAL');
  if (group.container !== null) {
    if (group.containerUsers !== 1) return refused('EBUSY');
    detachContainer(group);
  }
  group.iommufd = null;
  return returned(0);
}

/** VFIO_SET_IOMMU on an iommufd file (compatibility): iommufd_vfio_set_iommu. */
function setIommuOfContext(context: IommufdContext, type: number): Returned {
  if (type !== 1 && type !== 3) return refused('EINVAL');
  return context.standsForContainer ? returned(0) : refused('ENODEV');
}

/** VFIO_SET_IOMMU. */
export function setIommuOf(machine: Machine, process: Process, fd: number, type: number): Returned {
  const file = process.files.get(fd);
  if (file === undefined) return refused('EBADF');
  if (file.what.kind === 'container') return zeroOr(setIommu(machine, file.what.container, type));
  if (file.what.kind === 'iommufd') return setIommuOfContext(file.what.context, type);
  return refused(file.what.kind === 'device' && !file.what.granted ? 'EINVAL' : 'ENOTTY');
}
