// What the kernel tells of itself in /proc: version, symbols, modules, interrupts, consoles, frame buffers.
import type { Machine } from '../machine.ts';

/** /proc/version. */
export function versionText(machine: Machine): string {
  const compiler =
    'x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0, GNU ld (GNU Binutils for Debian) 2.44';
  return `Linux version ${machine.release} (debian-kernel@lists.debian.org) (${compiler}) #1 SMP PREEMPT_DYNAMIC\n`;
}

/** Symbols that every kernel has, and those that tell one from another. Addresses are hidden (kptr_restrict). */
const symbols: readonly string[] = [
  ...['T _stext', 'T startup_64', 'T do_one_initcall', 't init_once', 'T schedule', 'T vfs_read'],
  ...['T device_driver_attach', 't unbind_store', 't bind_store', 't really_probe'],
  ...['T pci_bus_type', 't driver_override_store', 'T pci_dma_configure', 'T iommu_group_get'],
  ...['T iommu_group_put', 't iommu_group_alloc', 't pci_device_group', 'T iommu_attach_group'],
];
const ownershipSymbols: readonly string[] = [
  'T iommu_device_use_default_domain',
  'T iommu_device_unuse_default_domain',
  'T iommu_group_claim_dma_owner',
  'T iommu_group_release_dma_owner',
  'T iommu_group_dma_owner_claimed',
];
const iommufdEraSymbols: readonly string[] = [
  'T iommu_device_claim_dma_owner',
  'T iommu_device_release_dma_owner',
];

/** /proc/kallsyms, much shortened; the names of ownership accounting are there exactly when the kernel has it. */
export function kallsymsText(machine: Machine): string {
  const { ownership, name } = machine.profile;
  const all = [
    ...symbols,
    ...(ownership ? ownershipSymbols : []),
    ...(ownership && name !== '6.1' ? iommufdEraSymbols : []),
  ];
  const lines = all.map((symbol) => `0000000000000000 ${symbol}\n`);
  const vfio = ['vfio_pci_core_register_device', 'vfio_pci_core_unregister_device'];
  if (machine.modules.has('vfio_pci') || machine.modules.has('vfio-pci')) {
    lines.push(...vfio.map((symbol) => `0000000000000000 t ${symbol}\t[vfio_pci_core]\n`));
  }
  return lines.join('');
}

/** /proc/modules. */
export function modulesText(machine: Machine): string {
  return [...machine.modules.values()]
    .map(({ name, refs }) => `${name} 65536 ${refs} - Live 0x0000000000000000\n`)
    .join('');
}

/** Interrupts of the platform with their handlers: number, trigger, name. */
const platformInterrupts: readonly (readonly [number, string, string])[] = [
  [1, '1-edge', 'i8042'],
  [8, '8-edge', 'rtc0'],
  [9, '9-fasteoi', 'acpi'],
];

/** Two processors are enough to have the columns. */
const counts = '         0          0';

/** /proc/interrupts: chips have the prefix IR- exactly where interrupts are remapped. */
export function interruptsText(machine: Machine): string {
  const { kind, interruptRemapping } = machine.spec.iommu;
  const remapped = kind !== 'none' && interruptRemapping ? 'IR-' : '';
  const line = (number: number, chip: string, rest: string): string =>
    `${String(number).padStart(3)}: ${counts}  ${chip.padStart(8)}  ${rest}\n`;
  const platform = platformInterrupts.map(([number, trigger, name]) =>
    line(number, `${remapped}IO-APIC`, `${trigger}      ${name}`),
  );
  const units = machine.spec.iommu.units.map((unit, index) =>
    line(24 + index, 'DMAR-MSI', `${index}-edge      ${unit}`),
  );
  let next = 32;
  const devices: string[] = [];
  for (const device of machine.devices.values()) {
    const { driver } = device;
    if (!device.driverLink || driver === null || driver.personality.managedDma) continue;
    devices.push(
      line(next++, `${remapped}PCI-MSIX-${device.address}`, `   0-edge      ${driver.name}`),
    );
  }
  const header = '           CPU0       CPU1       \n';
  const tail = `NMI: ${counts}   Non-maskable interrupts\nERR:          0\n`;
  return header + platform.join('') + units.join('') + devices.join('') + tail;
}

/** Device numbers of console drivers. */
function consoleDevno(name: string): string {
  const number = Number(/\d+$/.exec(name)?.[0] ?? 0);
  if (name.startsWith('ttyS')) return `4:${64 + number}`;
  if (name.startsWith('ttyUSB')) return `188:${number}`;
  // tty0 stands for the console in front, which is tty1.
  return name.startsWith('tty') ? `4:${name === 'tty0' ? 1 : number}` : `229:${number}`;
}

/** /proc/consoles (fs/proc/consoles.c): the preferred console first, with C among its flags. */
export function consolesText(machine: Machine): string {
  const nbcon = machine.profile.name === '6.12' || machine.profile.name === '7.2' ? ' ' : '';
  return [...machine.spec.consoles]
    .reverse()
    .map((name, index) => {
      const serial = name.startsWith('ttyS');
      const flags = `E${index === 0 ? 'C' : ' '} ${nbcon}p ${serial ? 'a' : ' '}`;
      const may = serial ? '-W-' : '-WU';
      return `${name.padEnd(21)}${may} (${flags}) ${consoleDevno(name).split(':')[0]?.padStart(4)}:${consoleDevno(name).split(':')[1]}\n`;
    })
    .join('');
}

/** /sys/class/tty/console/active: in order of registration, the preferred one last. */
export function activeConsoles(machine: Machine): string {
  return machine.spec.consoles.join(' ');
}

/** /proc/fb. */
export function framebuffersText(machine: Machine): string {
  return machine.children
    .of('graphics')
    .filter(({ name }) => /^fb\d+$/.test(name))
    .map(({ name, function: fn }) => `${name.slice(2)} ${fn?.driver?.name ?? 'simple'}drmfb\n`)
    .join('');
}
