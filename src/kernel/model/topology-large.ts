// A machine of any size, made rather than written: root ports with an endpoint or a two-function card each.
// For measurements and for loops that must not slow down with the size of a node.
import { assert } from '../../base/assert.ts';
import type { PciAddress } from '../../pci/address.ts';
import type { DeviceSpec, MachineSpec, ProcessSpec } from './spec.ts';
import * as defaults from './topology-defaults.ts';

const hex2 = (n: number): string => n.toString(16).padStart(2, '0');

function device(
  address: string,
  own: Pick<DeviceSpec, 'vendor' | 'device' | 'classCode'> & Partial<DeviceSpec>,
): DeviceSpec {
  const header = defaults.defaultHeader(own.classCode);
  const multifunction = own.multifunction ?? false;
  const shape = { classCode: own.classCode, header, multifunction, conventionalBelow: false };
  return {
    address: address as PciAddress,
    parent: null,
    subsystemVendor: '0000',
    subsystemDevice: '0000',
    revision: '00',
    header,
    multifunction,
    conventionalBelow: false,
    group: null,
    ...defaults.dependentDefaults(shape),
    bound: null,
    override: null,
    realDmaDevice: null,
    dmaAliases: [],
    numaNode: -1,
    sriov: null,
    reservedRegions: [],
    p2pmem: null,
    dead: false,
    attributes: {},
    children: defaults.noChildren,
    ...own,
  };
}

/** One root port with what is plugged into it: a GPU with its audio, or a network card, in turn. */
function slot(index: number): readonly DeviceSpec[] {
  // 31 ports on bus 00 of each domain; the bus below each port has its number, one up.
  const domain = Math.floor(index / 31)
    .toString(16)
    .padStart(4, '0');
  const place = (index % 31) + 1;
  const numaNode = index % 2;
  const port = device(`${domain}:00:${hex2(place)}.0`, {
    vendor: '8086',
    device: '347a',
    classCode: '060400',
    numaNode,
  });
  const below = `${domain}:${hex2(place)}:00`;
  const parent = port.address;
  if (index % 2 === 0) {
    const net = defaults.noChildren.net.concat({
      name: `ens${index}`,
      mac: `52:54:10:${hex2(index >> 8)}:${hex2(index & 0xff)}:00`,
      up: false,
      carrier: false,
      addresses: [],
      master: null,
      uppers: [],
      namespace: null,
    });
    const ids = { vendor: '8086', device: '1592', classCode: '020000' };
    const children = { ...defaults.noChildren, net };
    return [
      port,
      device(`${below}.0`, { ...ids, parent, numaNode, nativeDriver: 'ice', children }),
    ];
  }
  const card = { parent, numaNode, multifunction: true };
  return [
    port,
    device(`${below}.0`, {
      ...{ vendor: '10de', device: '2235', classCode: '030200' },
      ...card,
      nativeDriver: 'nouveau',
      children: { ...defaults.noChildren, drm: [`card${index}`, `renderD${128 + index}`] },
    }),
    device(`${below}.1`, {
      ...{ vendor: '10de', device: '1aef', classCode: '040300' },
      ...card,
      nativeDriver: 'snd_hda_intel',
      // Kernels have 32 sound cards at most (CONFIG_SND_MAX_CARDS); those beyond make none.
      children: { ...defaults.noChildren, sound: index < 32 ? { card: index, open: [] } : null },
    }),
  ];
}

function processes(count: number): readonly ProcessSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    pid: index === 0 ? 1 : 1000 + index * 7,
    comm: index === 0 ? 'systemd' : `worker-${index}`,
    mountNamespace: index % 10 === 9 ? `pod-${index}` : defaults.hostNamespace,
    netNamespace: index % 10 === 9 ? `pod-${index}` : defaults.hostNamespace,
    files: ['/dev/null', `socket:[${20_000 + index}]`, `/var/log/worker-${index}.log`],
    fdinfo: {},
  }));
}

/** A machine with exactly `functions` PCI functions (at least 4) and 300 processes. */
export function largeMachine(name: string, functions: number): MachineSpec {
  assert(functions >= 4, 'a large machine has at least 4 functions');
  const devices: DeviceSpec[] = [];
  for (let index = 0; devices.length + 3 <= functions; index++) devices.push(...slot(index));
  for (let fn = 0; devices.length < functions; fn++) {
    devices.push(
      device(`0000:00:00.${fn}`, { vendor: '8086', device: '09a2', classCode: '088000' }),
    );
  }
  const sorted = devices.sort((a, b) => (a.address < b.address ? -1 : 1));
  return {
    name,
    description: `${functions} functions, made`,
    profile: '6.12',
    release: null,
    bootId: defaults.bootIdOf(name),
    cmdline: `${defaults.defaultCmdline} intel_iommu=on`,
    iommu: { ...defaults.defaultIommu('intel'), units: ['dmar0', 'dmar1'] },
    cdev: false,
    noiommuMode: false,
    devices: sorted,
    platformDevices: [],
    drivers: defaults.impliedDrivers(sorted).map(defaults.defaultDriver),
    modules: [],
    stacked: [],
    virtualNets: [],
    storageTargets: [],
    mounts: [],
    swaps: [],
    routes: [],
    processes: processes(300),
    zfsPools: [],
    consoles: defaults.defaultConsoles,
  };
}
