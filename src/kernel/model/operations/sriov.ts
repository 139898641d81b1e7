// SR-IOV: VFs are made and destroyed (drivers/pci/iov.c), and what sriov_numvfs answers.
import type { Errno, Settled } from '../../fs.ts';
import { vfAddress } from '../grouping.ts';
import type { Machine } from '../machine.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import type { DeviceSpec } from '../spec.ts';
import { noChildren } from '../topology-defaults.ts';
import type { Task } from '../vfs.ts';
import { errno, took } from './answers.ts';
import { pciEvent } from './events.ts';

import { findFunction, startFunction, removeFunction } from './functions.ts';
import { kernelNumber } from './numbers.ts';
import { lockDevice } from './probe.ts';

/** msleep(100) after VF enable, ssleep(1) after VF disable. */
const enableMs = 100;
const disableMs = 1000;
/** What is left to wait for when a VF has gone. */
const removeMs = 15;

/** What a VF is, as a function of its own. */
export function vfSpec(pf: PciDevice, index: number): DeviceSpec {
  const sriov = pf.spec.sriov;
  if (sriov === null) throw new Error(`${pf.address} has no SR-IOV capability`);
  const given = sriov.vfs[index];
  return {
    ...pf.spec,
    address: vfAddress(pf.address, sriov, index),
    parent: pf.parent?.address ?? null,
    device: sriov.vfDevice,
    multifunction: false,
    group: null,
    nativeDriver: sriov.vfDriver,
    bound: null,
    override: null,
    realDmaDevice: null,
    dmaAliases: [],
    resetMethods: ['flr'],
    bootVga: null,
    sriov: null,
    p2pmem: null,
    reservedRegions: [],
    attributes: {},
    firmwareNode: null,
    children: given?.children ?? noChildren,
  };
}

/** pci_iov_add_virtfn. */
async function addVf(machine: Machine, pf: PciDevice, index: number, task: Task): Promise<void> {
  const vf = findFunction(machine, vfSpec(pf, index), { parent: pf.parent, physfn: pf });
  pf.sriov?.vfs.set(index, vf);
  pciEvent(machine, vf, 'change');
  await startFunction(machine, vf, task);
}

/** sriov_enable. */
async function enableVfs(
  machine: Machine,
  pf: PciDevice,
  count: number,
  task: Task,
): Promise<void> {
  const wait = machine.pause(task, enableMs);
  if (wait !== undefined) await wait;
  for (let index = 0; index < count; index++) await addVf(machine, pf, index, task);
  pciEvent(machine, pf, 'change');
  if (pf.sriov !== null) pf.sriov.num = count;
}

/** sriov_disable: waits for whoever uses a VF. */
export async function disableVfs(machine: Machine, pf: PciDevice, task: Task): Promise<void> {
  const { sriov } = pf;
  if (sriov === null || sriov.num === 0) return;
  for (const [index, vf] of [...sriov.vfs].sort(([a], [b]) => a - b)) {
    sriov.vfs.delete(index);
    if (machine.devices.get(vf.address) === vf) await removeFunction(machine, vf, task);
    const gone = machine.pause(task, removeMs);
    if (gone !== undefined) await gone;
  }
  const wait = machine.pause(task, disableMs);
  if (wait !== undefined) await wait;
  sriov.num = 0;
}

/** sriov_configure of the bound driver, under the global lock. VFIO drivers refuse (enable_sriov=N). */
async function configure(
  machine: Machine,
  pf: PciDevice,
  count: number,
  task: Task,
): Promise<Errno | null> {
  const turn = machine.rescanLock.take(task);
  if (turn !== undefined) await turn;
  try {
    if (pf.driver?.personality.vfio === true) return 'ENOENT';
    if (count === 0) await disableVfs(machine, pf, task);
    else await enableVfs(machine, pf, count, task);
    return null;
  } finally {
    machine.rescanLock.give(task);
  }
}

/** What keeps num_VFs from changing, checked under the device lock. */
function obstacle(pf: PciDevice, count: number): Errno | null {
  if (pf.driver === null || !pf.driver.personality.sriovConfigure) return 'ENOENT';
  return count > 0 && (pf.sriov?.num ?? 0) > 0 ? 'EBUSY' : null;
}

/** sriov_numvfs_store. */
export async function writeNumVfs(
  machine: Machine,
  pf: PciDevice,
  data: string,
  task: Task,
): Promise<Settled<number>> {
  const count = kernelNumber(data);
  if (count === null || count > 0xffff || pf.sriov === null) return errno('EINVAL');
  if (count > pf.sriov.total) return errno('ERANGE');
  await lockDevice(pf, task);
  try {
    if (count === pf.sriov.num) return took(data, null);
    const refusal = obstacle(pf, count) ?? (await configure(machine, pf, count, task));
    if (refusal === 'ENOENT') {
      machine.log(`pci ${pf.address}: no driver bound to device; cannot configure SR-IOV`);
    }
    return took(data, refusal);
  } finally {
    pf.lock.give(task);
  }
}
