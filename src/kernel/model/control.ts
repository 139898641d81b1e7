// The control surface of a simulated machine: what its users, its administrator and its hardware do. Every
// answer is a number or an errno, as the kernel would give it to them.
import type { PciAddress } from '../../pci/address.ts';
import type { Errno, Settled } from '../fs.ts';
import { registerDriver } from './boot.ts';
import type { Fault, FaultHandle } from './faults.ts';
import type { Machine } from './machine.ts';
import type { Process } from './objects/process.ts';
import type { UeventQueue } from './objects/uevents.ts';
import { bindIommufd, deviceReset, getDeviceFd } from './operations/device-file.ts';
import {
  closeFile,
  groupStatus,
  openFile,
  setContainer,
  setIommuOf,
  unsetContainer,
  type GroupStatus,
} from './operations/files.ts';
import { plugIn, removeFunction } from './operations/functions.ts';
import { attachDriver, inBackground, releaseDevice, lockDevice } from './operations/probe.ts';
import { refused, type Returned } from './operations/returned.ts';
import { moduleRefs } from './sysfs/module-folder.ts';
import type { DeviceSpec } from './spec.ts';
import type { Task } from './vfs.ts';

/** What happens to a machine from outside of KernelFs. Processes are named by their pid. */
export class ModelControl {
  readonly #machine: () => Machine;
  /** Plugged in, and not found yet by the hot-plug driver. */
  readonly #arriving = new Set<PciAddress>();

  /** `machine`: the machine of today (a reboot makes another). */
  constructor(machine: () => Machine) {
    this.#machine = machine;
  }

  /** Starts a process; its pid. */
  spawnProcess(comm: string): number {
    return this.#machine().processes.spawn(comm).pid;
  }

  /** kill(2): ESRCH, EINVAL, or null. See Process for what signals do to calls. */
  kill(pid: number, signal: number): Errno | null {
    return this.#machine().processes.kill(pid, signal);
  }

  /** open(path, O_RDWR): a descriptor. */
  openFile(pid: number, path: string): Returned {
    return this.#as(pid, (machine, process) => openFile(machine, process, path));
  }

  /** close(2). */
  closeFile(pid: number, fd: number): Returned {
    return this.#as(pid, (_machine, process) => closeFile(process, fd));
  }

  /** VFIO_GROUP_SET_CONTAINER. */
  setContainer(pid: number, groupFd: number, containerFd: number): Returned {
    const fds = { group: groupFd, container: containerFd };
    return this.#as(pid, (machine, process) => setContainer(machine, process, fds));
  }

  /** VFIO_GROUP_UNSET_CONTAINER. */
  unsetContainer(pid: number, groupFd: number): Returned {
    return this.#as(pid, (_machine, process) => unsetContainer(process, groupFd));
  }

  /** VFIO_SET_IOMMU. */
  setIommu(pid: number, containerFd: number, type: number): Returned {
    return this.#as(pid, (machine, process) => setIommuOf(machine, process, containerFd, type));
  }

  /** VFIO_GROUP_GET_STATUS. */
  groupStatus(pid: number, groupFd: number): GroupStatus | Errno {
    const machine = this.#machine();
    const process = machine.processes.get(pid);
    return process === undefined ? 'ESRCH' : groupStatus(machine, process, groupFd);
  }

  /** VFIO_GROUP_GET_DEVICE_FD. */
  getDeviceFd(pid: number, groupFd: number, name: string): Returned {
    return this.#as(pid, (machine, process) => getDeviceFd(machine, process, groupFd, name));
  }

  /** VFIO_DEVICE_BIND_IOMMUFD. */
  bindIommufd(pid: number, deviceFd: number, iommufd: number): Returned {
    const fds = { device: deviceFd, iommufd };
    return this.#as(pid, (machine, process) => bindIommufd(machine, process, fds));
  }

  /** VFIO_DEVICE_RESET. */
  deviceReset(pid: number, deviceFd: number): Returned {
    return this.#as(pid, (machine, process) => deviceReset(machine, process, deviceFd));
  }

  /** Loads the module of a driver: it is registered, and tried on every free function it matches. */
  async loadModule(driverName: string): Promise<void> {
    const machine = this.#machine();
    if (machine.drivers.has(driverName)) return;
    const driver = registerDriver(machine, driverName);
    if (machine.autoprobe)
      await inBackground(machine, (task) => attachDriver(machine, driver, task));
  }

  /** rmmod: EAGAIN while a device of it is open, ENOENT when it is not loaded; else its devices are released. */
  async unloadModule(driverName: string): Promise<Errno | null> {
    const machine = this.#machine();
    const driver = machine.drivers.get(driverName);
    if (driver === undefined) return 'ENOENT';
    if (driver.module !== null && moduleRefs(machine, driver.module) > 0) return 'EAGAIN';
    machine.drivers.delete(driverName);
    await inBackground(machine, async (task) => {
      for (const device of [...machine.devices.values()]) {
        if (device.driver !== driver) continue;
        await lockDevice(device, task);
        if (device.driver === driver) await releaseDevice(machine, device, task);
        device.lock.give(task);
      }
    });
    if (driver.module !== null) machine.modules.delete(driver.module);
    return null;
  }

  /** Hardware is plugged in and the hot-plug driver finds it. EEXIST, or ENODEV when the bridge above is missing. */
  async hotAdd(spec: DeviceSpec): Promise<Errno | null> {
    const machine = this.#machine();
    if (machine.devices.has(spec.address)) return 'EEXIST';
    const parent = spec.parent === null ? null : machine.devices.get(spec.parent);
    if (parent === undefined) return 'ENODEV';
    this.#arriving.add(spec.address);
    await this.#underRescanLock((task) => {
      this.#arriving.delete(spec.address);
      return plugIn(machine, spec, parent, task);
    });
    return null;
  }

  /** Hardware is asked out: the hot-plug driver removes the function, waiting for its users. ENODEV: not there. */
  async hotRemove(address: PciAddress): Promise<Errno | null> {
    const machine = this.#machine();
    machine.hidden.delete(address);
    // One that is plugged in and not found yet is asked out as soon as it is.
    if (!machine.devices.has(address) && !this.#arriving.has(address)) return 'ENODEV';
    await this.#underRescanLock(async (task) => {
      const device = machine.devices.get(address);
      if (device !== undefined) await removeFunction(machine, device, task);
    });
    return null;
  }

  /** Listens to uevents with a bounded queue, as a netlink socket does. */
  subscribeUevents(limit: number): UeventQueue {
    return this.#machine().uevents.subscribe(limit);
  }

  /** Arms a fault. */
  inject(fault: Fault): FaultHandle {
    return this.#machine().faults.inject(fault);
  }

  /** Clears all faults; what hung goes on. */
  clearFaults(): void {
    this.#machine().faults.clear();
  }

  async #underRescanLock(work: (task: Task) => Promise<void>): Promise<void> {
    const machine = this.#machine();
    await inBackground(machine, async (task) => {
      const turn = machine.rescanLock.take(task);
      if (turn !== undefined) await turn;
      try {
        await work(task);
      } finally {
        machine.rescanLock.give(task);
      }
    });
  }

  #as(pid: number, work: (machine: Machine, process: Process) => Returned): Returned {
    const machine = this.#machine();
    const process = machine.processes.get(pid);
    return process === undefined ? refused('ESRCH') : work(machine, process);
  }
}

/** A late answer that never comes: what a host that is down gives. */
export function neverAnswers<T>(): Promise<Settled<T>> {
  return new Promise(() => undefined);
}
