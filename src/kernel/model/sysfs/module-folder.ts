// /sys/module: what is loaded, its reference counts, and the parameters that matter for VFIO.
import type { Machine } from '../machine.ts';
import { value } from '../operations/answers.ts';
import { dir, linkTo, listing, textFile, writableFile } from '../tree.ts';
import type { VDir, VNode } from '../vfs.ts';
import { nodeAt } from './child-folder.ts';

/** Parameters of modules that matter for VFIO, as Y or N. */
function parameters(machine: Machine, module: string): Record<string, string> {
  const unsafe = machine.unsafeInterruptsAllowed ? 'Y' : 'N';
  switch (module) {
    case 'vfio':
      return machine.spec.noiommuMode
        ? { enable_unsafe_noiommu_mode: machine.noiommuMode ? 'Y' : 'N' }
        : {};
    case 'vfio_iommu_type1':
      return { allow_unsafe_interrupts: unsafe, disable_hugepages: 'N', dma_entry_limit: '65535' };
    case 'iommufd':
      return { allow_unsafe_interrupts: unsafe };
    case 'vfio_pci':
      return {
        disable_denylist: 'N',
        disable_idle_d3: 'N',
        disable_vga: 'N',
        enable_sriov: 'N',
        nointxmask: 'N',
      };
    default:
      return {};
  }
}

/** Open devices of VFIO drivers: what pins vfio_pci. */
export function moduleRefs(machine: Machine, name: string): number {
  let refs = machine.modules.get(name)?.refs ?? 0;
  for (const device of machine.devices.values()) {
    if (device.vfio === null || device.driver?.module !== name) continue;
    refs += device.vfio.openCount > 0 ? 1 : 0;
  }
  return refs;
}

/** `drivers/pci:NAME` links of a module. */
function driverLinks(machine: Machine, module: string): VDir {
  const own = (): string[] =>
    [...machine.drivers.values()]
      .filter((one) => one.module === module)
      .map((one) => `pci:${one.name}`);
  return listing(own, (name) => {
    const driver = own().includes(name)
      ? machine.drivers.get(name.slice('pci:'.length))
      : undefined;
    if (driver === undefined) return null;
    return linkTo(`/sys/module/${module}/drivers`, driver.path, () => nodeAt(machine, driver.path));
  });
}

/** /sys/module. */
export function moduleFolder(machine: Machine): VDir {
  return listing(
    () => [...machine.modules.keys()],
    (name): VNode | null => {
      if (!machine.modules.has(name)) return null;
      const given = parameters(machine, name);
      const files = Object.entries(given).map(
        ([key, text]) => [key, textFile(() => `${text}\n`)] as const,
      );
      return dir({
        refcnt: textFile(() => `${moduleRefs(machine, name)}\n`),
        initstate: textFile(() => 'live\n'),
        coresize: textFile(() => '16384\n'),
        initsize: textFile(() => '0\n'),
        taint: textFile(() => '\n'),
        uevent: writableFile(0o200, (data) => value(data.length)),
        holders: dir({}),
        notes: dir({}),
        sections: dir({}),
        drivers: driverLinks(machine, name),
        ...(files.length === 0 ? {} : { parameters: dir(Object.fromEntries(files)) }),
      });
    },
  );
}
