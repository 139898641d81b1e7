// A dump of a guest's sysfs becomes a machine: groups, drivers, overrides and children as they were. What a
// dump does not tell (ACS, the native driver of a device that vfio-pci has) is worked out from what it does.
import { fail, ok, type Result } from '../../base/result.ts';
import { isPciAddress, type PciAddress } from '../../pci/address.ts';
import { dumpDevices } from './dump-devices.ts';
import { dumpForm, type Dump } from './dump-form.ts';
import { basename, profileOfRelease } from './dump-texts.ts';
import type { DriverSpec, MachineSpec, MountSpec } from './spec.ts';
import * as defaults from './topology-defaults.ts';
import { problemsOf, type TopologyProblem } from './topology-problem.ts';

/** Whether a parsed file is a dump and not a topology. */
export function isDump(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !('topology' in value) &&
    ['devices', 'iommu_groups', 'drivers', 'iommus'].every((key) => key in value)
  );
}

function driversOf(dump: Dump, devices: MachineSpec['devices']): readonly DriverSpec[] {
  const names = new Set([...Object.keys(dump.drivers), ...defaults.impliedDrivers(devices)]);
  return [...names].sort().map((name) => {
    const dumped = dump.drivers[name];
    if (dumped === undefined) return { ...defaults.defaultDriver(name), loaded: false };
    const module = dumped.module ?? null;
    return {
      name,
      module: module === null ? null : basename(module),
      loaded: true,
      fixed: !dumped.names.includes('unbind'),
    };
  });
}

function modulesOf(dump: Dump, drivers: readonly DriverSpec[]): MachineSpec['modules'] {
  const ofDrivers = new Set(drivers.map((driver) => driver.module));
  return dump.modules
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([name = '']) => name !== '' && !ofDrivers.has(name))
    .map(([name = '', , refs = '0']) => ({ name, refs: Math.max(0, Number(refs) || 0) }));
}

/** Lines of /proc/mounts; sources under /dev become the names of block devices where the dump has them. */
function mountsOf(dump: Dump, devnoOfBlock: ReadonlyMap<string, string>): readonly MountSpec[] {
  return dump.mounts
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      const [device = '', target = '', fsType = ''] = line.split(' ');
      const name = device.startsWith('/dev/') ? device.slice('/dev/'.length) : device;
      const devno = devnoOfBlock.get(name);
      const source = devno === undefined ? device : name;
      const namespace = defaults.hostNamespace;
      return { namespace, source, devno: devno ?? `0:${20 + index}`, target, fsType };
    });
}

function platformDevicesOf(dump: Dump): MachineSpec['platformDevices'] {
  return Object.entries(dump.iommu_groups).flatMap(([number, group]) =>
    group.devices
      .filter((name) => !isPciAddress(name))
      .map((name) => ({ name, bus: 'platform', driver: null, group: Number(number) })),
  );
}

/** The type that the groups have; the model has one for all at boot. */
function domainTypeOf(dump: Dump): Pick<MachineSpec['iommu'], 'domainType'> {
  const type = Object.values(dump.iommu_groups)[0]?.type;
  return type === 'DMA' || type === 'DMA-FQ' || type === 'identity' ? { domainType: type } : {};
}

function iommuOf(dump: Dump): MachineSpec['iommu'] {
  const units = Object.keys(dump.iommus).sort();
  const kind = units.length === 0 ? 'none' : units[0]?.startsWith('dmar') ? 'intel' : 'amd';
  const off = /\b(intremap=off|nointremap)\b/.test(dump.cmdline);
  return {
    kind,
    units,
    // A dump has no /proc/interrupts: remapping is on wherever an IOMMU is, unless the command line says no.
    interruptRemapping: kind !== 'none' && !off,
    ...domainTypeOf(dump),
    unsafeInterruptsAllowed: dump.params['vfio_iommu_type1']?.['allow_unsafe_interrupts'] === 'Y',
  };
}

/** The machine of a dump. */
export function parseDump(
  value: unknown,
  name: string,
): Result<MachineSpec, readonly TopologyProblem[]> {
  const parsed = dumpForm.safeParse(value);
  if (!parsed.success) return fail(problemsOf(parsed.error));
  const dump = parsed.data;
  const strange = Object.keys(dump.devices).find((key) => !isPciAddress(key));
  if (strange !== undefined) {
    return fail([{ field: `devices."${strange}"`, message: 'must be a PCI address dddd:bb:dd.f' }]);
  }
  const devices = dumpDevices(dump, Object.keys(dump.devices) as PciAddress[]);
  const drivers = driversOf(dump, devices);
  const blocks = new Map(
    devices.flatMap((device) => device.children.block.map((disk) => [disk.name, disk.devno])),
  );
  const release = /^Linux version (\S+)/.exec(dump.kernel)?.[1] ?? null;
  const swapped = dump.swaps
    .split('\n')
    .slice(1)
    .map((line) => basename(line.split(/\s/)[0] ?? ''));
  return ok({
    name,
    description: `Dump of a running guest: ${dump.kernel.slice(0, 80)}`,
    profile: profileOfRelease(release ?? ''),
    release,
    bootId: defaults.bootIdOf(name),
    cmdline: dump.cmdline.trim(),
    iommu: iommuOf(dump),
    cdev: dump.dev_iommu,
    noiommuMode: dump.params['vfio']?.['enable_unsafe_noiommu_mode'] === 'Y',
    devices,
    platformDevices: platformDevicesOf(dump),
    drivers,
    modules: modulesOf(dump, drivers),
    stacked: [],
    virtualNets: [],
    storageTargets: [],
    mounts: mountsOf(dump, blocks),
    swaps: swapped.filter((swap) => blocks.has(swap)),
    routes: [],
    processes: [],
    zfsPools: [],
    consoles: /\bconsole=ttyS0\b/.test(dump.cmdline) ? ['ttyS0'] : defaults.defaultConsoles,
  });
}
