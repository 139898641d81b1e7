// The building blocks of the transcripts' machine: one function at a time, with the texts and the ACPI node
// that it has there.
import type { ChildrenSpec, DeviceSpec } from '../../src/kernel/model/spec.ts';
import { noChildren } from '../../src/kernel/model/topology-defaults.ts';
import type { PciAddress } from '../../src/pci/address.ts';

const slots = '/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0A08:00';

/** ACPI nodes of the slots, as this machine's DSDT numbers them: depth first. 05.1 and 1f.2 have none. */
const firmwareNodes: Readonly<Record<string, string>> = {
  '0000:00:00.0': 'device:00',
  '0000:00:05.0': 'device:01',
  '0000:00:06.0': 'device:02',
  '0000:00:07.0': 'device:03',
  '0000:01:00.0': 'device:03/device:04',
  '0000:00:08.0': 'device:05',
  '0000:02:01.0': 'device:05/device:07',
  '0000:00:09.0': 'device:26',
  '0000:03:00.0': 'device:26/device:27',
  '0000:00:0a.0': 'device:28',
  '0000:04:00.0': 'device:28/device:29',
  '0000:00:1f.0': 'device:2a',
  '0000:00:1f.3': 'device:2b',
};

/** Slots below the PCIe-to-PCI bridge: device:06 is slot 0. */
const firstBridgeSlot = 6;

function firmwareNodeOf(address: string): string | null {
  const known = firmwareNodes[address];
  if (known !== undefined) return `${slots}/${known}`;
  const slot = /^0000:02:([01][0-9a-f])\.0$/.exec(address)?.[1];
  if (slot === undefined) return null;
  const node = (firstBridgeSlot + Number.parseInt(slot, 16)).toString(16).padStart(2, '0');
  return `${slots}/device:05/device:${node}`;
}

/** Texts that only this machine has. */
const texts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '0000:00:05.0': { irq: '21', dma_mask_bits: '32', rom: '' },
  '0000:00:05.1': { irq: '21', dma_mask_bits: '32', rom: '' },
  '0000:00:06.0': { irq: '22', d3cold_allowed: '1' },
  '0000:00:07.0': { irq: '23', dma_mask_bits: '32' },
  '0000:00:08.0': { irq: '20', dma_mask_bits: '32', d3cold_allowed: '1' },
  '0000:00:09.0': { irq: '21', dma_mask_bits: '32' },
  '0000:00:0a.0': { irq: '22', dma_mask_bits: '32' },
  '0000:00:1f.2': { irq: '10', dma_mask_bits: '32' },
  '0000:00:1f.3': { irq: '10', dma_mask_bits: '32' },
  '0000:01:00.0': { irq: '11', dma_mask_bits: '32', rom: '' },
  '0000:02:01.0': { irq: '21', dma_mask_bits: '32', d3cold_allowed: '0', rom: '' },
  '0000:04:00.0': { irq: '22' },
};

/** What a function of this machine says of itself. */
export type Given = Partial<DeviceSpec> & Pick<DeviceSpec, 'vendor' | 'device' | 'classCode'>;

/** A function of this machine. */
export function device(address: string, parent: string | null, given: Given): DeviceSpec {
  return {
    address: address as PciAddress,
    parent: parent as PciAddress | null,
    subsystemVendor: '1af4',
    subsystemDevice: '1100',
    revision: '00',
    header: given.classCode.startsWith('0604') ? 'bridge' : 'endpoint',
    multifunction: false,
    acs: false,
    conventionalBelow: false,
    group: null,
    nativeDriver: null,
    bound: null,
    override: null,
    realDmaDevice: null,
    dmaAliases: [],
    numaNode: -1,
    resetMethods: [],
    bootVga: null,
    sriov: null,
    reservedRegions: [],
    p2pmem: null,
    dead: false,
    firmwareNode: firmwareNodeOf(address),
    children: noChildren,
    ...given,
    attributes: { ...texts[address], ...given.attributes },
  };
}

const net = (name: string, mac: string): ChildrenSpec['net'] => [
  {
    name,
    mac,
    up: false,
    carrier: false,
    addresses: [],
    master: null,
    uppers: [],
    namespace: null,
  },
];

/** An e1000 card. */
export const e1000 = (name: string, mac: string): Given => ({
  vendor: '8086',
  device: '100e',
  classCode: '020000',
  revision: '03',
  nativeDriver: 'e1000',
  children: { ...noChildren, net: net(name, mac) },
});

/** An NVMe controller, with a disk or without. */
export const nvme = (name: string, disk: string | null): Given => ({
  vendor: '1b36',
  device: '0010',
  classCode: '010802',
  revision: '02',
  nativeDriver: 'nvme',
  resetMethods: ['flr'],
  children: {
    ...noChildren,
    nvme: name,
    block:
      disk === null
        ? []
        : [
            {
              name: disk,
              sectors: 16384,
              devno: '259:0',
              partitions: [],
              contents: null,
              holders: [],
            },
          ],
  },
});
