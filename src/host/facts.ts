// Facts about the machine as a whole: is there an IOMMU, are interrupts remapped, does the kernel account for DMA
// ownership, which ways to VFIO exist. What cannot be read is unknown, never "no".
import { type Known, known } from '../base/known.ts';
import type { KernelFs } from '../kernel/fs.ts';
import type { NodeFacts } from '../pci/inventory.ts';
import {
  factOf,
  type Form,
  lineForm,
  orAbsent,
  readAttribute,
  readNames,
  readText,
} from './reading.ts';

const bootIdForm: Form<string> = {
  pattern: /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\n$/,
  allowed: 'a UUID',
  value: (match) => match[1] ?? '',
};
const yesNoForm: Form<boolean> = {
  pattern: /^([YN])\n$/,
  allowed: 'Y or N',
  value: (match) => match[1] === 'Y',
};

/** Where symbols of the kernel are listed; the names are visible even where the addresses are hidden. */
const symbolsFile = '/proc/kallsyms';
const claimSymbol = 'iommu_group_claim_dma_owner';

/** Reads the facts. `accounting`: what an earlier call of this boot found out about ownership accounting. */
export async function readFacts(
  kernel: KernelFs,
  accounting: Known<boolean> | null,
): Promise<NodeFacts> {
  const kernelRelease = readAttribute(kernel, '/proc/sys/kernel/osrelease', lineForm);
  // All asked at once: over a served machine each would cost a round trip of its own.
  const [bootId, release, iommuUnits, drivers, commandLine, ...answers] = await Promise.all([
    readAttribute(kernel, '/proc/sys/kernel/random/boot_id', bootIdForm),
    kernelRelease,
    readUnits(kernel),
    readNames(kernel, '/sys/bus/pci/drivers'),
    readText(kernel, '/proc/cmdline'),
    readInterruptRemapping(kernel),
    readUnsafeInterrupts(kernel),
    accounting ?? kernelRelease.then((known) => readOwnershipAccounting(kernel, known)),
    readExists(kernel, '/dev/vfio/vfio'),
    readExists(kernel, '/dev/iommu'),
  ]);
  const [interruptRemapping, unsafeInterruptsAllowed, ownershipAccounting, ...ways] = answers;
  const [vfioContainer, iommufd] = ways;
  return {
    ...{ bootId, kernelRelease: release, iommuUnits, interruptRemapping },
    ...{ ownershipAccounting, unsafeInterruptsAllowed, vfioContainer, iommufd },
    vfioDrivers: vfioDriversOf(drivers),
    acsOverride: commandLine.known
      ? known(/(?:^|\s)pcie_acs_override=/.test(commandLine.value))
      : commandLine,
  };
}

function vfioDriversOf(drivers: Known<readonly string[]>): NodeFacts['vfioDrivers'] {
  if (!drivers.known) return orAbsent(drivers, []);
  return known(drivers.value.filter((name) => name.includes('vfio')).sort());
}

async function readExists(kernel: KernelFs, path: string): Promise<Known<boolean>> {
  return factOf(path, await kernel.exists(path));
}

/** /sys/class/iommu is there on every kernel that can have an IOMMU, and empty while none is active. */
async function readUnits(kernel: KernelFs): Promise<Known<readonly string[]>> {
  const units = await readNames(kernel, '/sys/class/iommu');
  return units.known ? known([...units.value].sort()) : orAbsent(units, []);
}

/**
 * Chips named IR- in /proc/interrupts (Intel and AMD), or ITS- (Arm: the GIC's interrupt translation isolates
 * message interrupts by itself). Only such lines are asked for: the file grows with the number of processors.
 */
async function readInterruptRemapping(kernel: KernelFs): Promise<Known<boolean>> {
  const chips = ['IR-', 'ITS-'];
  const found = await Promise.all(
    chips.map((chip) => readText(kernel, '/proc/interrupts', { linesWith: chip })),
  );
  for (const [at, lines] of found.entries()) {
    if (!lines.known) return lines;
    if (new RegExp(`(?:^|\\s)${chips[at]}`, 'm').test(lines.value)) return known(true);
  }
  return known(false);
}

/** Allowed if either way into VFIO has the parameter set; a module that is not loaded allows nothing. */
async function readUnsafeInterrupts(kernel: KernelFs): Promise<Known<boolean>> {
  const paths = ['vfio_iommu_type1', 'iommufd'].map(
    (module) => `/sys/module/${module}/parameters/allow_unsafe_interrupts`,
  );
  const read = await Promise.all(paths.map((path) => readAttribute(kernel, path, yesNoForm)));
  const values = read.map((value) => orAbsent(value, false));
  return values.find((value) => !value.known || value.value) ?? known(false);
}

/**
 * Whether the kernel refuses mixed groups. Every Linux since 5.19 does; an older release number may be a
 * distribution's kernel with the change carried back, which only its symbols tell. So the long symbol table
 * (10 MB) is searched on old kernels only, by a lane, and its text never comes into this process.
 */
async function readOwnershipAccounting(
  kernel: KernelFs,
  release: Known<string>,
): Promise<Known<boolean>> {
  const version = release.known ? /^(\d+)\.(\d+)/.exec(release.value) : null;
  const major = Number(version?.[1] ?? 0);
  const minor = Number(version?.[2] ?? 0);
  if (major > 5 || (major === 5 && minor >= 19)) return known(true);
  const lines = await readText(kernel, symbolsFile, { linesWith: claimSymbol });
  if (!lines.known) return lines;
  return known(new RegExp(`\\s${claimSymbol}(?:\\s|$)`, 'm').test(lines.value));
}
