// Why a machine has no active IOMMU, and what to do about it: told from the command line, the firmware's tables and
// the processor. Advice only, nothing is decided by it; what cannot be read makes it more general.
import { type Known, known, valueOr } from '../base/known.ts';
import { readNames, readText } from '../host/reading.ts';
import type { KernelFs } from '../kernel/fs.ts';

/** What can be known about the reason. */
export interface IommuClues {
  /** The word of the command line that turns the IOMMU off (`intel_iommu=off`). */
  readonly switchedOff: string | null;
  /** ACPI tables that describe an IOMMU: DMAR (Intel), IVRS (AMD), IORT (Arm). Unknown without ACPI. */
  readonly tables: Known<readonly string[]>;
  /** The processor says that it is a virtual one. */
  readonly virtual: Known<boolean>;
}

/** Reads the clues. */
export async function readIommuClues(kernel: KernelFs): Promise<IommuClues> {
  const commandLine = valueOr(await readText(kernel, '/proc/cmdline'), '');
  const tables = await readNames(kernel, '/sys/firmware/acpi/tables');
  const flags = await readText(kernel, '/proc/cpuinfo', { linesWith: 'flags' });
  return {
    switchedOff:
      /(?:^|\s)((?:intel_iommu|amd_iommu|iommu)=(?:\S+,)?off(?:,\S+)?)(?=\s|$)/.exec(
        commandLine,
      )?.[1] ?? null,
    tables: tables.known
      ? known(tables.value.filter((name) => ['DMAR', 'IVRS', 'IORT'].includes(name)))
      : tables,
    virtual:
      flags.known && flags.value !== '' ? known(/\bhypervisor\b/.test(flags.value)) : unsaid(flags),
  };
}

/** A processor without such a line (Arm) tells nothing. */
function unsaid(flags: Known<string>): Known<boolean> {
  return flags.known ? { known: false, path: '/proc/cpuinfo', why: 'has no flags' } : flags;
}

const check =
  'Check with "ls /sys/class/iommu": it lists dmar0, ivhd0 or the like once an IOMMU is active.';

/** The sentences for a machine whose IOMMU is not active. */
export function iommuAdvice(clues: IommuClues): readonly string[] {
  return [...causeLines(clues), check];
}

function causeLines({ switchedOff, tables, virtual }: IommuClues): readonly string[] {
  if (switchedOff !== null) {
    return [`"${switchedOff}" on the kernel command line turns it off: take it away and reboot.`];
  }
  const [table] = valueOr(tables, []);
  if (table === 'DMAR') {
    return [
      'The firmware describes one (ACPI table DMAR), but the kernel does not use it: boot with intel_iommu=on.',
    ];
  }
  if (table !== undefined) {
    return [
      `The firmware describes one (ACPI table ${table}), but the kernel does not use it: look for the reason with`,
      '"dmesg | grep -i -e iommu -e AMD-Vi -e smmu"; the kernel may be built without its driver.',
    ];
  }
  const hypervisor =
    'A virtual machine gets one from its hypervisor (QEMU: -machine q35,kernel-irqchip=split -device intel-iommu,intremap=on).';
  if (valueOr(virtual, false)) {
    return ['This is a virtual machine, and its hypervisor gives it no IOMMU.', hypervisor];
  }
  const firmware =
    'Turn VT-d (Intel), AMD-Vi / IOMMU (AMD) or SMMU (Arm) on in the firmware; on Intel also boot with intel_iommu=on.';
  return virtual.known ? [firmware] : [firmware, hypervisor];
}
