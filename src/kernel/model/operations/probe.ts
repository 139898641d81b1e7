// Binding and unbinding as drivers/base/dd.c does it: really_probe, __device_release_driver, device_attach,
// driver_attach. Who calls the first two holds the device lock.
import type { Errno } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { Driver } from '../objects/driver.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import type { Task } from '../vfs.ts';
import { pciEvent } from './events.ts';
import { boundOnLegacy } from './legacy.ts';
import { mayBind } from './match.ts';
import { unuseDefaultDomain, useDefaultDomain } from './ownership.ts';

/**
 * `refused`: the bus said no before the driver saw the device (a negative result of the core); `failed`: the
 * driver's probe said no (the core goes on to the next driver).
 */
export type ProbeResult =
  | { readonly kind: 'bound' }
  | { readonly kind: 'refused'; readonly errno: Errno }
  | { readonly kind: 'failed'; readonly errno: Errno };

/** Takes the lock of a device, sleeping uninterruptibly while another has it. */
export async function lockDevice(device: PciDevice, task: Task): Promise<void> {
  const turn = device.lock.take(task);
  if (turn !== undefined) await turn;
}

/** pci_device_can_probe: a VF is left alone when its PF says so, unless it has an override. */
function canProbe(device: PciDevice): boolean {
  const autoprobe = device.physfn?.sriov?.autoprobe ?? true;
  return autoprobe || device.override !== null;
}

/** The driver's probe, with the faults that may strike it. */
async function callProbe(
  machine: Machine,
  driver: Driver,
  device: PciDevice,
  task: Task,
): Promise<Errno | null> {
  // The override may have changed since the match.
  if (!canProbe(device) || !mayBind(driver, device)) return 'ENODEV';
  const whom = { address: device.address, driver: driver.name };
  if (!machine.faults.none) {
    const failure = machine.faults.onDevice('probe-errno', whom);
    if (failure !== null) return failure.fault.errno;
    const deferral = machine.faults.onDevice('probe-defer', whom);
    if (deferral !== null) {
      retryLater(machine, device, deferral.fault.retryMs);
      return 'EPROBE_DEFER';
    }
  }
  const call = { machine, device, driver, task };
  driver.personality.begin?.(call);
  const wait = machine.pause(task, driver.personality.probeMs);
  if (wait !== undefined) await wait;
  return driver.personality.probe(call);
}

/** The deferred-probe work: tries again by itself. */
function retryLater(machine: Machine, device: PciDevice, afterMs: number): void {
  machine.deferred.add(device);
  machine.clock.after(afterMs, () => {
    if (!machine.deferred.delete(device) || !device.registered || device.driver !== null) return;
    void inBackground(machine, (task) => attachDevice(machine, device, task));
  });
}

/** Runs something as a kernel thread. */
export async function inBackground(
  machine: Machine,
  work: (task: Task) => Promise<unknown>,
): Promise<void> {
  const worker = machine.processes.spawn('kworker');
  const task = machine.processes.enter(worker);
  await work(task);
  machine.processes.leave(worker, task);
  machine.processes.exit(worker);
}

/** __driver_probe_device and really_probe. */
export async function probeDevice(
  machine: Machine,
  driver: Driver,
  device: PciDevice,
  task: Task,
): Promise<ProbeResult> {
  if (!device.registered) return { kind: 'refused', errno: 'ENODEV' };
  if (device.driver !== null) return { kind: 'refused', errno: 'EBUSY' };
  device.driver = driver;
  const counted = !driver.personality.managedDma;
  const refusal = counted ? useDefaultDomain(machine, device.group) : null;
  if (refusal !== null) {
    device.driver = null;
    return { kind: 'refused', errno: refusal };
  }
  const group = device.group;
  device.driverLink = true;
  driver.linked.add(device);
  const errno = await callProbe(machine, driver, device, task);
  if (errno !== null) {
    device.driverLink = false;
    driver.linked.delete(device);
    if (counted) unuseDefaultDomain(machine, group);
    device.driver = null;
    if (errno !== 'ENODEV' && errno !== 'ENXIO' && errno !== 'EPROBE_DEFER') {
      machine.log(
        `${driver.name} ${device.address}: probe with driver ${driver.name} failed with error ${errno}`,
      );
    }
    return { kind: 'failed', errno };
  }
  device.bound = true;
  device.everBound = true;
  machine.deferred.delete(device);
  boundOnLegacy(machine, device, driver);
  pciEvent(machine, device, 'bind');
  return { kind: 'bound' };
}

/** The faults that keep a removal from ending. */
async function removalFaults(machine: Machine, device: PciDevice, task: Task): Promise<void> {
  const whom = { address: device.address, driver: device.driver?.name ?? null };
  const hang = machine.faults.onDevice('unbind-hang', whom);
  if (hang !== null) {
    task.state = machine.processes.get(task.pid)?.dying === true ? 'D' : 'S';
    task.onSignal = () => {
      task.state = 'D';
    };
    await hang.cleared;
    task.onSignal = null;
    task.state = 'R';
  }
  const spin = machine.faults.onDevice('remove-spin', whom);
  // Spinning in the kernel: running, and no signal is looked at.
  if (spin !== null) await spin.cleared;
}

/** pci_device_remove: the function was woken for its driver's removal; what is known of its state depends on the kernel. */
function leavePower(machine: Machine, device: PciDevice): void {
  if (device.powerState === 'D3cold') return;
  if (machine.profile.unbindForgetsPower) device.powerState = 'unknown';
  else if (device.powerState !== 'unknown') device.powerState = 'D0';
}

/** __device_release_driver. */
export async function releaseDevice(
  machine: Machine,
  device: PciDevice,
  task: Task,
): Promise<void> {
  const { driver } = device;
  if (driver === null) return;
  device.driverLink = false;
  driver.linked.delete(device);
  if (!machine.faults.none) await removalFaults(machine, device, task);
  // Children go at once; what takes its time is the hardware.
  await driver.personality.remove({ machine, device, driver, task });
  const wait = machine.pause(task, driver.personality.removeMs);
  if (wait !== undefined) await wait;
  leavePower(machine, device);
  device.runtimeStatus = 'active';
  if (device.sriov !== null && device.sriov.num > 0) {
    machine.log(`${driver.name} ${device.address}: driver left SR-IOV enabled after remove`);
  }
  if (!driver.personality.managedDma) unuseDefaultDomain(machine, device.group);
  device.driver = null;
  device.bound = false;
  pciEvent(machine, device, 'unbind');
  autoloadLater(machine, device);
}

/** A module that matches is loaded by someone (udev, a person) and takes the device. */
function autoloadLater(machine: Machine, device: PciDevice): void {
  if (machine.faults.none) return;
  const steal = machine.faults.onDevice('autoload-steal', {
    address: device.address,
    driver: null,
  });
  if (steal === null) return;
  machine.clock.after(steal.fault.afterMs, () => {
    if (!device.registered || device.driver !== null) return;
    void inBackground(machine, (task) => attachDevice(machine, device, task));
  });
}

/** Which drivers an attach tries: all, or only those of one pass of an initial probe. */
type Pass = 'all' | 'synchronous' | 'asynchronous';

/** bus_for_each_drv(__device_attach_driver): tries drivers in order until one binds or the bus refuses. */
async function tryDrivers(
  machine: Machine,
  device: PciDevice,
  task: Task,
  pass: Pass,
): Promise<Errno | null> {
  for (const driver of [...machine.drivers.values()]) {
    if (pass !== 'all' && driver.personality.prefersAsync !== (pass === 'asynchronous')) continue;
    if (!mayBind(driver, device)) continue;
    const result = await probeDevice(machine, driver, device, task);
    if (result.kind === 'bound') return null;
    if (result.kind === 'refused') return result.errno;
  }
  return null;
}

/** device_attach: null, or the errno with which the bus refused. Takes the lock. */
export async function attachDevice(
  machine: Machine,
  device: PciDevice,
  task: Task,
  pass: Pass = 'all',
): Promise<Errno | null> {
  await lockDevice(device, task);
  try {
    if (!device.registered || device.driver !== null) return null;
    return await tryDrivers(machine, device, task, pass);
  } finally {
    device.lock.give(task);
  }
}

/** driver_attach: tries one driver on all functions of the bus; errors are swallowed. */
export async function attachDriver(machine: Machine, driver: Driver, task: Task): Promise<void> {
  for (const device of [...machine.devices.values()]) {
    if (!mayBind(driver, device)) continue;
    if (driver.personality.prefersAsync) {
      if (device.driver === null)
        void inBackground(machine, (worker) => probeAlone(machine, driver, device, worker));
      continue;
    }
    await probeAlone(machine, driver, device, task);
  }
}

/** driver_probe_device under the lock. */
async function probeAlone(
  machine: Machine,
  driver: Driver,
  device: PciDevice,
  task: Task,
): Promise<void> {
  await lockDevice(device, task);
  try {
    await probeDevice(machine, driver, device, task);
  } finally {
    device.lock.give(task);
  }
}
