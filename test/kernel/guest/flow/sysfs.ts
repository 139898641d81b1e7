// What the guest's own /sys says, read without any code of the agent: drivers, overrides, groups and their members.
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const devices = '/sys/bus/pci/devices';

/** What a return has to restore of one function. */
export interface Binding {
  readonly driver: string | null;
  readonly override: string | null;
}

/** Driver of a function; null: none. */
export function driverOf(address: string): string | null {
  const link = join(devices, address, 'driver');
  return existsSync(link) ? basename(readlinkSync(link)) : null;
}

/** Driver and override of a function. */
export function bindingOf(address: string): Binding {
  const override = readFileSync(join(devices, address, 'driver_override'), 'utf8').trim();
  return { driver: driverOf(address), override: override === '(null)' ? null : override };
}

/** Sets driver_override; null clears it. */
export function setOverride(address: string, override: string | null): void {
  writeFileSync(join(devices, address, 'driver_override'), override ?? '\n');
}

/** True when the machine has the function. */
export function isPresent(address: string): boolean {
  return existsSync(join(devices, address));
}

/** Number of the group in which a function stands. */
export function groupOf(address: string): string {
  return basename(readlinkSync(join(devices, address, 'iommu_group')));
}

/** Endpoints of the group in which `address` stands, in order: bridges are left out. */
export function endpointsOf(address: string): readonly string[] {
  return readdirSync(`/sys/kernel/iommu_groups/${groupOf(address)}/devices`)
    .filter((each) => {
      const headerType = readFileSync(join(devices, each, 'config'))[0x0e] ?? 0;
      return (headerType & 0x7f) === 0;
    })
    .sort();
}

/** Bindings of every endpoint of a group, as text that can be compared. */
export function bindingsText(address: string): string {
  return endpointsOf(address)
    .map((each) => {
      const { driver, override } = bindingOf(each);
      return `${each} driver=${driver ?? '-'} override=${override ?? '-'}`;
    })
    .join('\n');
}
