// Attribute files that tell what a function is (drivers/pci/pci-sysfs.c), with the kernel's texts.
import { addressParts } from '../../../pci/address.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { value } from '../operations/answers.ts';
import { barsOf, hasLink, reportsErrors, writeCombinedBarsOf } from '../operations/device-facts.ts';
import { modaliasOf } from '../operations/events.ts';
import { kernelNumber } from '../operations/numbers.ts';
import { type DeviceAttribute, setting, shown } from './attribute.ts';
import { configSpace } from './config-space.ts';

/** Lines of `resource`: six BARs, the ROM, and four bridge windows; empty ones read as zeros. */
const resourceLines = 13;
const emptyLine = '0x0000000000000000 0x0000000000000000 0x0000000000000000\n';

const isBridge = (device: PciDevice): boolean => device.spec.header === 'bridge';
const isVf = (device: PciDevice): boolean => device.physfn !== null;
/** Root ports count errors of what is below them as well. */
const isRootPort = (device: PciDevice): boolean =>
  isBridge(device) && device.parent === null && !device.spec.conventionalBelow;

/** Number of the bus below a bridge: that of what hangs there, else unknown. */
function secondaryBus(device: PciDevice): number {
  for (const below of device.below.values()) return addressParts(below.address).bus;
  return 0;
}

function highestBus(device: PciDevice): number {
  let highest = secondaryBus(device);
  for (const below of device.below.values()) {
    highest = Math.max(
      highest,
      addressParts(below.address).bus,
      isBridge(below) ? highestBus(below) : 0,
    );
  }
  return highest;
}

const resources = (device: PciDevice): string => {
  const first = isBridge(device)
    ? ''
    : '0x00000000fe000000 0x00000000fe01ffff 0x0000000000040200\n';
  return first + emptyLine.repeat(first === '' ? resourceLines : resourceLines - 1);
};

const zero = (): string => '0';
const isNumber = (text: string): boolean => kernelNumber(text) !== null;
const isNode = (text: string): boolean => /^(-1|0)\n?$/.test(text);

function barFile(
  bar: number,
  bars: (device: PciDevice) => readonly number[] = barsOf,
): DeviceAttribute {
  return { mode: 0o600, there: (device) => bars(device).includes(bar), read: () => value('') };
}

const errorKinds = ['correctable', 'fatal', 'nonfatal'] as const;
const errorNames: Readonly<Record<(typeof errorKinds)[number], readonly string[]>> = {
  correctable: ['RxErr', 'BadTLP', 'BadDLLP', 'Rollover', 'Timeout', 'NonFatalErr', 'CorrIntErr'],
  fatal: ['Undefined', 'DLP', 'SDES', 'TLP', 'FCP', 'CmpltTO', 'CmpltAbrt', 'UnxCmplt'],
  nonfatal: ['Undefined', 'DLP', 'SDES', 'TLP', 'FCP', 'CmpltTO', 'CmpltAbrt', 'UnxCmplt'],
};
const errorTotals = {
  correctable: 'ERR_COR',
  fatal: 'ERR_FATAL',
  nonfatal: 'ERR_NONFATAL',
} as const;

/** Counters of one kind of error: all zero, as nothing fails on the wire here. */
function errorFile(
  kind: (typeof errorKinds)[number],
  there: (device: PciDevice) => boolean,
): DeviceAttribute {
  const text = [...errorNames[kind], `TOTAL_${errorTotals[kind]}`]
    .map((name) => `${name} 0`)
    .join('\n');
  return shown(() => text, there);
}

/** By name. */
export const identityAttributes: Readonly<Record<string, DeviceAttribute>> = {
  vendor: shown(({ spec }) => `0x${spec.vendor}`),
  device: shown(({ spec }) => `0x${spec.device}`),
  subsystem_vendor: shown(({ spec }) => `0x${spec.subsystemVendor}`),
  subsystem_device: shown(({ spec }) => `0x${spec.subsystemDevice}`),
  class: shown(({ spec }) => `0x${spec.classCode}`),
  revision: shown(({ spec }) => `0x${spec.revision}`),
  modalias: shown(modaliasOf),
  irq: shown(zero),
  local_cpulist: shown(zero),
  local_cpus: shown(() => '1'),
  ari_enabled: shown((device) => (device.sriov !== null || isVf(device) ? '1' : '0')),
  dma_mask_bits: shown(() => '64'),
  consistent_dma_mask_bits: shown(() => '64'),
  resource: { mode: 0o444, read: (device) => value(resources(device)) },
  config: { mode: 0o644, read: (device, machine) => value(configSpace(machine, device)) },
  numa_node: setting('numa_node', ({ spec }) => String(spec.numaNode), isNode),
  broken_parity_status: setting('broken_parity_status', zero, isNumber),
  msi_bus: setting('msi_bus', () => '1', isNumber),
  d3cold_allowed: setting(
    'd3cold_allowed',
    (device) => (device.parent !== null && !isVf(device) ? '1' : '0'),
    isNumber,
  ),
  boot_vga: shown(
    ({ spec }) => (spec.bootVga === true ? '1' : '0'),
    ({ spec }) => spec.bootVga !== null,
  ),
  rom: { mode: 0o600, there: ({ spec }) => spec.bootVga !== null, read: () => value('') },
  ...Object.fromEntries(
    [0, 2, 3, 4].map((bar) => [`resource${bar}_wc`, barFile(bar, writeCombinedBarsOf)]),
  ),
  ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((bar) => [`resource${bar}`, barFile(bar)])),
  ...Object.fromEntries(
    errorKinds.map((kind) => [`aer_dev_${kind}`, errorFile(kind, reportsErrors)]),
  ),
  ...Object.fromEntries(
    ['cor', 'fatal', 'nonfatal'].map((kind) => [
      `aer_rootport_total_err_${kind}`,
      shown(zero, (device) => reportsErrors(device) && isRootPort(device)),
    ]),
  ),
  waiting_for_supplier: shown(zero, (device) => !device.everBound && device.hasFirmwareNode),
  current_link_speed: shown(() => '2.5 GT/s PCIe', hasLink),
  current_link_width: shown(() => '1', hasLink),
  max_link_speed: shown(() => '2.5 GT/s PCIe', hasLink),
  max_link_width: shown(() => '1', hasLink),
  secondary_bus_number: shown((device) => String(secondaryBus(device)), isBridge),
  subordinate_bus_number: shown((device) => String(highestBus(device)), isBridge),
  power_state: shown((device) => device.powerState),
};
