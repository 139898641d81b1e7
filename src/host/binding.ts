// How one function is bound at this moment: the links and files that a step is judged by, before and after.
import { type Known, known } from '../base/known.ts';
import type { KernelFs } from '../kernel/fs.ts';
import type { PciAddress } from '../pci/address.ts';
import { devicesFolder } from './function-reader.ts';
import {
  factOf,
  type Form,
  isAbsent,
  orAbsent,
  readAttribute,
  readLinkName,
  readNames,
  readText,
} from './reading.ts';

/** Text of driver_override; the kernel prints "(null)" when it is unset (drivers/pci/pci-sysfs.c driver_override_show). */
const overrideForm: Form<string | null> = {
  pattern: /^([^\n]{0,4095})\n$/,
  allowed: 'one line: a driver name or (null)',
  value: (match) => (match[1] === '(null)' || match[1] === '' ? null : (match[1] ?? null)),
};

/** driver_override, null when unset. May block behind an operation on the device before Linux 6.12.91. */
export function readOverride(kernel: KernelFs, address: PciAddress): Promise<Known<string | null>> {
  return readAttribute(kernel, `${devicesFolder}/${address}/driver_override`, overrideForm);
}

/** The driver that the `driver` link names, null without the link; unknown when the device itself is not there. */
export async function readDriver(
  kernel: KernelFs,
  address: PciAddress,
): Promise<Known<string | null>> {
  const folder = `${devicesFolder}/${address}`;
  const driver: Known<string | null> = await readLinkName(kernel, `${folder}/driver`);
  if (!isAbsent(driver)) return driver;
  const there = factOf(folder, await kernel.exists(folder));
  if (!there.known) return there;
  return there.value ? known(null) : driver;
}

/**
 * The driver core's own word on whether a driver still holds the device: `DRIVER=` in uevent stays until an unbind
 * is complete, while the `driver` link goes when it begins (drivers/base/dd.c __device_release_driver).
 */
export async function readHoldingDriver(
  kernel: KernelFs,
  address: PciAddress,
): Promise<Known<string | null>> {
  const text = await readText(kernel, `${devicesFolder}/${address}/uevent`);
  if (!text.known) return text;
  return known(/^DRIVER=(.+)$/m.exec(text.value)?.[1] ?? null);
}

/** True for names of VFIO drivers: their binding is complete only when `vfio-dev/` is there too (Linux 6.1 on). */
export function isVfioDriver(name: string): boolean {
  return name.includes('vfio');
}

/** Whether a function bound to a VFIO driver has its VFIO device; true on kernels that have none (5.19, 6.0). */
export async function hasVfioDevice(
  kernel: KernelFs,
  address: PciAddress,
): Promise<Known<boolean>> {
  const devices = orAbsent(await readNames(kernel, `${devicesFolder}/${address}/vfio-dev`), []);
  if (!devices.known) return devices;
  if (devices.value.length > 0) return known(true);
  const path = '/sys/class/vfio-dev';
  const classKnown = factOf(path, await kernel.exists(path));
  return classKnown.known ? known(!classKnown.value) : classKnown;
}
