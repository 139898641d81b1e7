// The deeper look at one member. Some of these reads may block in the kernel, so they are made by lanes, and not at
// all while an operation on the device is known to be pending.
import { type Known, known, type Unknown, unknown } from '../base/known.ts';
import type { KernelFs } from '../kernel/fs.ts';
import type { MemberDetail, PciFunction } from '../pci/function.ts';
import { readHoldingDriver, readOverride } from './binding.ts';
import { devicesFolder } from './function-reader.ts';
import { factOf, type Form, isAbsent, orAbsent, readAttribute, readNames } from './reading.ts';

/** Methods that Linux knows, in the order that the file has them (drivers/pci/pci.c pci_reset_fn_methods). */
const methodsForm: Form<readonly string[]> = {
  pattern: /^([a-z_]+(?: [a-z_]+)*)?\n$/,
  allowed: 'names of reset methods',
  value: (match) => (match[1] === undefined ? [] : match[1].split(' ')),
};

/** Names in a driver's folder. A driver with many devices has a long list, so whoever looks at many asks once. */
export type DriverNames = (driver: string) => Promise<Known<readonly string[]>>;

/** Asks the kernel once for each driver. */
export function driverNamesOnce(kernel: KernelFs): DriverNames {
  const asked = new Map<string, Promise<Known<readonly string[]>>>();
  return (driver) => {
    const there = asked.get(driver) ?? readNames(kernel, `/sys/bus/pci/drivers/${driver}`);
    asked.set(driver, there);
    return there;
  };
}

/** Details of one function. `locked`: an operation on it is pending; nothing is read that could wait for it. */
export async function readDetail(
  kernel: KernelFs,
  fn: PciFunction,
  driverNames: DriverNames,
  locked: boolean,
): Promise<MemberDetail> {
  const folder = `${devicesFolder}/${fn.address}`;
  const unbindForbidden = await readUnbindForbidden(driverNames, fn);
  const driverless = fn.driver.known && fn.driver.value === null;
  if (locked) {
    const skipped = (file: string): Unknown =>
      unknown(`${folder}/${file}`, 'not read: an operation on the device is pending');
    return {
      address: fn.address,
      driverOverride: skipped('driver_override'),
      accessible: skipped('config'),
      resetMethods: skipped('reset_method'),
      unbindForbidden,
      leavingDriver: driverless ? skipped('uevent') : known(null),
    };
  }
  const [driverOverride, accessible, resetMethods, leavingDriver] = await Promise.all([
    readOverride(kernel, fn.address),
    readAccessible(kernel, folder),
    readResetMethods(kernel, fn, folder),
    driverless ? readHoldingDriver(kernel, fn.address) : known(null),
  ]);
  return {
    ...{ address: fn.address, driverOverride, accessible, resetMethods },
    ...{ unbindForbidden, leavingDriver },
  };
}

/** Vendor and device, command and status: a status register is never all ones. */
const headBytes = 8;

/**
 * All ones at the start of configuration space: nobody answers at this address any more. Vendor and device alone
 * prove nothing: those of a virtual function read as ones while it lives (SR-IOV 1.1 §3.4.1.1).
 */
async function readAccessible(kernel: KernelFs, folder: string): Promise<Known<boolean>> {
  const path = `${folder}/config`;
  const bytes = factOf(path, await kernel.read(path, { firstBytes: headBytes }));
  if (!bytes.known) return bytes;
  const head = bytes.value.subarray(0, headBytes);
  if (head.length < headBytes)
    return unknown(path, `has ${head.length} bytes instead of ${headBytes}`);
  return known(head.some((byte) => byte !== 0xff));
}

/** The file is there only when the function can be reset; a kernel before 5.15 has `reset` without a list. */
async function readResetMethods(
  kernel: KernelFs,
  fn: PciFunction,
  folder: string,
): Promise<Known<readonly string[]>> {
  if (!fn.entries.has('reset_method')) return known(fn.entries.has('reset') ? ['unspecified'] : []);
  return orAbsent(await readAttribute(kernel, `${folder}/reset_method`, methodsForm), []);
}

async function readUnbindForbidden(
  driverNames: DriverNames,
  fn: PciFunction,
): Promise<Known<boolean | null>> {
  if (!fn.driver.known) return fn.driver;
  if (fn.driver.value === null) return known(null);
  const names = await driverNames(fn.driver.value);
  if (names.known) return known(!names.value.includes('unbind'));
  // The driver was unloaded since the function was read: then it holds nothing either.
  return isAbsent(names) ? known(null) : names;
}
