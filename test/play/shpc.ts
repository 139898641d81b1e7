// What is different on the transcripts' machine without ACPI hot-plug of bridges: the ports' own hot-plug and
// shpchp have the slots, and firmware describes the root bus only.
import type { DeviceSpec } from '../../src/kernel/model/spec.ts';

const nodes: Readonly<Record<string, string>> = {
  '0000:00:00.0': 'device:00',
  '0000:00:05.0': 'device:01',
  '0000:00:06.0': 'device:02',
  '0000:00:07.0': 'device:03',
  '0000:00:08.0': 'device:04',
  '0000:00:09.0': 'device:05',
  '0000:00:0a.0': 'device:06',
  '0000:00:1f.0': 'device:07',
  '0000:00:1f.3': 'device:08',
};

/** Slots by the bridge whose driver registers them; names that are taken get a suffix. */
const driverSlots: Readonly<Record<string, readonly string[]>> = {
  '0000:00:07.0': ['1'],
  '0000:00:09.0': ['2'],
  '0000:00:0a.0': ['3'],
  '0000:00:08.0': Array.from({ length: 31 }, (_, i) => (i < 3 ? `${i + 1}-1` : String(i + 1))),
};

/** A function of the machine as it is in this variant. */
export function withoutAcpiHotplug(spec: DeviceSpec): DeviceSpec {
  const node = nodes[spec.address];
  const { slots: _, ...other } = spec.children.other;
  const { pci_express: services } = other;
  const own = driverSlots[spec.address];
  return {
    ...spec,
    firmwareNode: node === undefined ? null : `/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0A08:00/${node}`,
    nativeDriver: spec.conventionalBelow ? 'shpchp' : spec.nativeDriver,
    children: {
      ...spec.children,
      other: {
        ...other,
        ...(services === undefined ? {} : { pci_express: [...services, 'pcie004'] }),
        ...(own === undefined ? {} : { 'driver-slots': own }),
      },
    },
  };
}
