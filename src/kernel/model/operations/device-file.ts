// Files of VFIO devices: opened through the group (GET_DEVICE_FD) or as /dev/vfio/devices/vfioN and bound
// to an iommufd context, reset, and closed (drivers/vfio/{vfio_main,group,device_cdev}.c, vfio_pci_core.c).
import type { Errno } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import { OpenFile, type FileKind } from '../objects/open-file.ts';
import type { Process } from '../objects/process.ts';
import type { VfioDevice, VfioGroup } from '../objects/vfio-device.ts';
import { disableDevice, enableDevice, hasPowerManagement } from './device-facts.ts';
import { legacyViable } from './legacy.ts';
import { claimByDevice, releaseByDevice } from './ownership.ts';
import { resetMethodNow } from './reset.ts';
import { notThatKind, refused, returned, zeroOr, type Returned } from './returned.ts';

type DeviceFile = Extract<FileKind, { readonly kind: 'device' }>;

/** vfio_pci_core_enable: EAGAIN while another holds the device lock of a function that can be reset. */
function enableHardware(machine: Machine, vfio: VfioDevice): Errno | null {
  const { pci } = vfio;
  if (
    machine.faults.onDevice('d3cold', {
      address: pci.address,
      driver: pci.driver?.name ?? null,
    }) !== null
  ) {
    pci.powerState = 'D3cold';
    return 'EIO';
  }
  if (pci.resetMethods.length > 0 && pci.lock.holder !== null) return 'EAGAIN';
  enableDevice(pci);
  pci.runtimeStatus = 'active';
  return null;
}

function disableHardware(vfio: VfioDevice): void {
  disableDevice(vfio.pci);
  // Back to sleep, unless the driver is on its way out.
  if (vfio.pci.vfio !== vfio || vfio.references === 0) return;
  vfio.pci.runtimeStatus = 'suspended';
  vfio.pci.powerState = hasPowerManagement(vfio.pci) ? 'D3hot' : 'D0';
}

/** vfio_df_iommufd_bind: the claim by which a context takes the group. */
function bindIommu(machine: Machine, vfio: VfioDevice, context: object): Errno | null {
  const { group } = vfio.pci;
  if (group === null) return 'ENODEV';
  if (!machine.spec.iommu.interruptRemapping && !machine.unsafeInterruptsAllowed) return 'EPERM';
  const refusal = claimByDevice(machine, group, context);
  if (refusal === null) group.domain = 'user';
  return refusal;
}

/** First open of a device by its group: the container must have a backend, an iommufd must get the claim. */
function useByGroup(machine: Machine, group: VfioGroup, vfio: VfioDevice): Errno | null {
  if (group.iommufd !== null)
    return vfio.openCount > 0 ? null : bindIommu(machine, vfio, group.iommufd);
  if (group.container?.backend === null || group.container === null) return 'EINVAL';
  group.containerUsers += 1;
  return null;
}

function unuseByGroup(group: VfioGroup, vfio: VfioDevice, file: DeviceFile): void {
  if (file.iommufd !== null) {
    if (vfio.openCount === 0 && vfio.pci.group !== null) releaseByDevice(vfio.pci.group);
    return;
  }
  group.containerUsers -= 1;
}

/** Why a group cannot give out device files at all. */
function groupNotReady(machine: Machine, group: VfioGroup): Errno | null {
  if (machine.profile.ownership) return null;
  const ready = group.container !== null && group.container.backend !== null;
  return ready && group.group !== null && legacyViable(group.group) ? null : 'EINVAL';
}

/** vfio_df_group_open. */
function openByGroup(machine: Machine, group: VfioGroup, vfio: VfioDevice): OpenFile | Errno {
  if (group.container === null && group.iommufd === null) return 'EINVAL';
  const refusal = useByGroup(machine, group, vfio);
  if (refusal !== null) return refusal;
  const what: DeviceFile = {
    kind: 'device',
    device: vfio,
    via: 'group',
    iommufd: group.iommufd,
    granted: true,
  };
  if (vfio.openCount === 0) {
    const failure = enableHardware(machine, vfio);
    if (failure !== null) {
      unuseByGroup(group, vfio, what);
      return failure;
    }
  }
  vfio.openCount += 1;
  // Under iommufd the context has the group, so the group's file may go before the device's.
  const pinned = group.container === null ? null : group.openedFile;
  pinned?.get();
  return new OpenFile(what, 'anon_inode:[vfio-device]', () => {
    vfio.openCount -= 1;
    if (vfio.openCount === 0) disableHardware(vfio);
    unuseByGroup(group, vfio, what);
    pinned?.put();
    vfio.put();
  });
}

/** VFIO_GROUP_GET_DEVICE_FD. `argument`: the device's name, possibly followed by a VF token. */
export function getDeviceFd(
  machine: Machine,
  process: Process,
  fd: number,
  argument: string,
): Returned {
  const file = process.files.get(fd);
  if (file === undefined) return refused('EBADF');
  if (file.what.kind !== 'group') return refused(notThatKind(file));
  const { group } = file.what;
  const notReady = groupNotReady(machine, group);
  if (notReady !== null) return refused(notReady);
  const [name = '', ...options] = argument.split(' ').filter((word) => word !== '');
  const vfio = group.devices.find((device) => device.pci.address === name);
  if (vfio === undefined) return refused('ENODEV');
  if (options.some((option) => !option.startsWith('vf_token='))) return refused('EINVAL');
  if (!vfio.tryGet()) return refused('ENODEV');
  const opened = openByGroup(machine, group, vfio);
  if (typeof opened === 'string') {
    vfio.put();
    return refused(opened);
  }
  return returned(process.install(opened));
}

/** vfio_device_fops_cdev_open: owns nothing yet, but keeps the driver from leaving. */
export function openCdev(machine: Machine, name: string): OpenFile | Errno {
  for (const group of machine.vfioGroups) {
    const vfio = group.devices.find((device) => `vfio${device.index}` === name);
    if (vfio === undefined) continue;
    if (!vfio.tryGet()) return 'ENODEV';
    const what: DeviceFile = {
      kind: 'device',
      device: vfio,
      via: 'cdev',
      iommufd: null,
      granted: false,
    };
    return new OpenFile(what, `/dev/vfio/devices/${name}`, () => releaseCdev(what));
  }
  return 'ENXIO';
}

function releaseCdev(file: DeviceFile): void {
  const { device } = file;
  if (file.granted) {
    device.openCount -= 1;
    disableHardware(device);
    if (device.pci.group !== null) releaseByDevice(device.pci.group);
    device.group.cdevOpenCount -= 1;
  }
  device.put();
}

/** VFIO_DEVICE_BIND_IOMMUFD. */
export function bindIommufd(
  machine: Machine,
  process: Process,
  fds: { readonly device: number; readonly iommufd: number },
): Returned {
  const file = process.files.get(fds.device);
  if (file === undefined) return refused('EBADF');
  const { what } = file;
  if (what.kind !== 'device') return refused(notThatKind(file));
  if (fds.iommufd < 0 || what.via === 'group') return refused('EINVAL');
  const { device } = what;
  if (device.group.openedFile !== null) return refused('EBUSY');
  if (what.granted) return refused('EINVAL');
  const context = process.files.get(fds.iommufd);
  if (context === undefined) return refused('EBADF');
  if (context.what.kind !== 'iommufd') return refused('EBADFD');
  // A device file cannot be opened twice for use.
  if (device.openCount > 0) return refused('EINVAL');
  const refusal = bindIommu(machine, device, context.what.context);
  if (refusal !== null) return refused(refusal);
  const failure = enableHardware(machine, device);
  if (failure !== null) {
    if (device.pci.group !== null) releaseByDevice(device.pci.group);
    return refused(failure);
  }
  device.openCount = 1;
  device.group.cdevOpenCount += 1;
  what.iommufd = context.what.context;
  what.granted = true;
  return returned(0);
}

/** VFIO_DEVICE_RESET. */
export function deviceReset(machine: Machine, process: Process, fd: number): Returned {
  const file = process.files.get(fd);
  if (file === undefined) return refused('EBADF');
  const { what } = file;
  if (what.kind !== 'device') return refused(notThatKind(file));
  if (!what.granted || resetMethodNow(machine, what.device.pci) === null) {
    return refused('EINVAL');
  }
  const { pci } = what.device;
  const failure = machine.faults.onDevice('reset-failure', {
    address: pci.address,
    driver: pci.driver?.name ?? null,
  });
  if (failure !== null) return refused(failure.fault.errno);
  return zeroOr(pci.lock.holder === null ? null : 'EAGAIN');
}
