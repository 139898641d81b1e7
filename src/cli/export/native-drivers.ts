// Which driver a function would have had: what its sysfs cannot tell while VFIO has it. Told by its twins on the
// same machine, else by its id or class as Linux' own tables have it.
import type { PciFunction } from '../../pci/function.ts';

/** Drivers that take a function away from its own. */
const takers: ReadonlySet<string> = new Set(['pci-stub', 'uio_pci_generic', 'igb_uio', 'pciback']);

/** True for a driver that is no function's own. */
export function isTaker(driver: string): boolean {
  return takers.has(driver) || driver.includes('vfio');
}

const byId: Readonly<Record<string, string>> = {
  '8086:100e': 'e1000',
  '8086:10d3': 'e1000e',
  '8086:10c9': 'igb',
  '8086:10ca': 'igbvf',
  '8086:1521': 'igb',
  '8086:1572': 'i40e',
  '8086:154c': 'iavf',
  '8086:1592': 'ice',
  '8086:1889': 'iavf',
  '10ec:8139': '8139cp',
  '15b3:101d': 'mlx5_core',
  '15b3:101e': 'mlx5_core',
};

const byClass: readonly (readonly [code: string, driver: string])[] = [
  ['010802', 'nvme'],
  ['010601', 'ahci'],
  ['0c0330', 'xhci_hcd'],
  ['0403', 'snd_hda_intel'],
];

const displays: Readonly<Record<string, string>> = {
  '10de': 'nouveau',
  '1002': 'amdgpu',
  '8086': 'i915',
};

/** Answers for every function of one machine. */
export function nativeDrivers(
  functions: readonly PciFunction[],
): (fn: PciFunction) => string | null {
  const idOf = (fn: PciFunction): string =>
    fn.ids.known ? `${fn.ids.value.vendor}:${fn.ids.value.device}` : '';
  const twins = new Map<string, string>();
  for (const fn of functions) {
    const bound = fn.driver.known ? fn.driver.value : null;
    if (bound !== null && !isTaker(bound)) twins.set(idOf(fn), bound);
  }
  return (fn) => {
    const classCode = fn.classCode.known ? fn.classCode.value : '';
    const display = classCode.startsWith('03') ? displays[idOf(fn).slice(0, 4)] : undefined;
    const listed = byClass.find(([code]) => classCode.startsWith(code))?.[1];
    return twins.get(idOf(fn)) ?? byId[idOf(fn)] ?? display ?? listed ?? null;
  };
}
