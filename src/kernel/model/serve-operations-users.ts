// Operations of users of the machine: processes, and what they do with VFIO files.
import { operation, ranOr, ranReturned, type Ran, type Served } from './serve-operation.ts';
import { closeOpenFile, showOpenFile, startProcess } from './surroundings/host-operations.ts';
import { hostNamespace } from './topology-defaults.ts';
import * as scalar from './topology-scalars.ts';

const pid = scalar.whole(1, 4_194_304);
const fd = scalar.whole(0, 1_048_576);
const comm = scalar.textOf(/^[^\n]{1,15}$/, 'a command name of 1 to 15 characters');

/** VFIO_TYPE1v2_IOMMU. */
const type1v2 = 3;

/** Opens container, group and device as a virtual machine monitor does; on failure nothing stays open. */
function enter(
  served: Served,
  address: Parameters<Served['model']['bindingOf']>[0],
  name: string,
): Ran {
  const { control } = served.model;
  const binding = served.model.bindingOf(address);
  if (binding === null) return { errno: 'ENODEV' };
  const user = control.spawnProcess(name);
  const steps = (): Ran => {
    const container = control.openFile(user, '/dev/vfio/vfio');
    if (!container.ok) return ranReturned(container);
    const group = control.openFile(user, `/dev/vfio/${binding.group}`);
    if (!group.ok) return ranReturned(group);
    const set = control.setContainer(user, group.value, container.value);
    if (!set.ok) return ranReturned(set);
    const iommu = control.setIommu(user, container.value, type1v2);
    if (!iommu.ok) return ranReturned(iommu);
    const device = control.getDeviceFd(user, group.value, address);
    if (!device.ok) return ranReturned(device);
    return { value: { pid: user, group: group.value, device: device.value } };
  };
  const ran = steps();
  if ('errno' in ran) control.kill(user, 9);
  return ran;
}

/** By name. */
export const userOperations = {
  enterGroup: operation(
    'A user opens the group of a function and the function itself, as QEMU does; answers its pid and descriptors.',
    { address: scalar.address, comm: comm.optional() },
    (served, given) => enter(served, given.address, given.comm ?? 'qemu'),
  ),
  spawnProcess: operation('A process starts; answers its pid.', { comm }, ({ model }, given) => ({
    value: model.control.spawnProcess(given.comm),
  })),
  startProcess: operation(
    'A process starts under a given number, in given namespaces, with files open.',
    {
      pid,
      comm,
      mountNamespace: scalar.name.optional(),
      netNamespace: scalar.name.optional(),
      files: scalar.listOf(scalar.text),
      fdinfo: scalar.named(scalar.text, scalar.text).optional(),
    },
    ({ model }, given) =>
      ranOr(
        startProcess(model.machine, {
          pid: given.pid,
          comm: given.comm,
          mountNamespace: given.mountNamespace ?? hostNamespace,
          netNamespace: given.netNamespace ?? hostNamespace,
          files: given.files ?? [],
          fdinfo: given.fdinfo ?? {},
        }),
      ),
  ),
  kill: operation(
    'A signal to a process; 9 ends it unless it sleeps uninterruptibly.',
    { pid, signal: scalar.whole(0, 64).optional() },
    ({ model }, given) => ranOr(model.control.kill(given.pid, given.signal ?? 9)),
  ),
  showOpenFile: operation(
    'A process opens a file that shows in its fd folder and means nothing more.',
    { pid, target: scalar.text },
    ({ model }, given) => ranOr(showOpenFile(model.machine, given.pid, given.target)),
  ),
  closeOpenFile: operation(
    'A process closes all its files with that target.',
    { pid, target: scalar.text },
    ({ model }, given) => ranOr(closeOpenFile(model.machine, given.pid, given.target)),
  ),
  openFile: operation(
    'open(2) of a device node, read and write; answers the descriptor.',
    { pid, path: scalar.text },
    ({ model }, given) => ranReturned(model.control.openFile(given.pid, given.path)),
  ),
  closeFile: operation('close(2).', { pid, fd }, ({ model }, given) =>
    ranReturned(model.control.closeFile(given.pid, given.fd)),
  ),
  setContainer: operation(
    'VFIO_GROUP_SET_CONTAINER.',
    { pid, group: fd, container: fd },
    ({ model }, given) =>
      ranReturned(model.control.setContainer(given.pid, given.group, given.container)),
  ),
  unsetContainer: operation('VFIO_GROUP_UNSET_CONTAINER.', { pid, group: fd }, ({ model }, given) =>
    ranReturned(model.control.unsetContainer(given.pid, given.group)),
  ),
  setIommu: operation(
    'VFIO_SET_IOMMU.',
    { pid, container: fd, type: scalar.whole(1, 100) },
    ({ model }, given) =>
      ranReturned(model.control.setIommu(given.pid, given.container, given.type)),
  ),
  groupStatus: operation(
    'VFIO_GROUP_GET_STATUS; answers viable and containerSet.',
    { pid, group: fd },
    ({ model }, given) => {
      const status = model.control.groupStatus(given.pid, given.group);
      return typeof status === 'string' ? { errno: status } : { value: status };
    },
  ),
  getDeviceFd: operation(
    'VFIO_GROUP_GET_DEVICE_FD; answers the descriptor.',
    { pid, group: fd, address: scalar.address },
    ({ model }, given) =>
      ranReturned(model.control.getDeviceFd(given.pid, given.group, given.address)),
  ),
  bindIommufd: operation(
    'VFIO_DEVICE_BIND_IOMMUFD.',
    { pid, device: fd, iommufd: fd },
    ({ model }, given) =>
      ranReturned(model.control.bindIommufd(given.pid, given.device, given.iommufd)),
  ),
  deviceReset: operation('VFIO_DEVICE_RESET.', { pid, device: fd }, ({ model }, given) =>
    ranReturned(model.control.deviceReset(given.pid, given.device)),
  ),
} as const;
