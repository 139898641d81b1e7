// A topology file that has the form becomes a MachineSpec: every default filled. Nothing is refused here;
// what must fit together is checked before, by topology-check.ts.
import { present } from '../../base/assert.ts';
import { comparePciAddresses, parsePciAddress, type PciAddress } from '../../pci/address.ts';
import * as defaults from './topology-defaults.ts';
import { childrenOf, newNumbering, type Numbering } from './topology-fill-children.ts';
import type { DeviceSpec, DriverSpec, MachineSpec, VfSpec } from './spec.ts';
import type { DeviceForm, TopologyForm } from './topology-form.ts';
import { isOn } from './topology-scalars.ts';

const given = (word: string | undefined): string | null => word ?? null;
const driverWord = (word: string | undefined, otherwise: string | null): string | null =>
  word === undefined ? otherwise : word === 'none' ? null : word;

function halves(pair: string): readonly [string, string] {
  return [pair.slice(0, 4), pair.slice(5)];
}

type SriovForm = NonNullable<DeviceForm['sriov']>;

function sriovOf(form: SriovForm, address: PciAddress, numbering: Numbering): DeviceSpec['sriov'] {
  const vfs = (form.vfs ?? []).map(
    (vf, index): VfSpec => ({
      bound: given(vf.bound),
      override: given(vf.override),
      group: vf.group ?? null,
      children: childrenOf(vf, address, { ...numbering, macBase: (index + 1) * 4 }),
    }),
  );
  return {
    totalVfs: form.totalVfs,
    numVfs: form.numVfs ?? vfs.length,
    vfDevice: form.vfDevice,
    vfOffset: form.vfOffset ?? 1,
    vfStride: form.vfStride ?? 1,
    vfDriver: given(form.vfDriver),
    vfs,
  };
}

function p2pmemOf(form: DeviceForm['p2pmem']): DeviceSpec['p2pmem'] {
  if (form === undefined) return null;
  const { size, available = size } = form;
  return { size, available, published: isOn(form.published, false) };
}

function deviceOf(
  address: PciAddress,
  form: DeviceForm,
  several: (address: PciAddress) => boolean,
  numbering: Numbering,
): DeviceSpec {
  const [vendor, device] = halves(form.id);
  const [subsystemVendor, subsystemDevice] = halves(form.subsystem ?? '0000:0000');
  const header = form.header ?? defaults.defaultHeader(form.class);
  const multifunction = isOn(form.multifunction, several(address));
  const conventionalBelow = isOn(form.conventionalBelow, false);
  const dependent = defaults.dependentDefaults({
    classCode: form.class,
    header,
    multifunction,
    conventionalBelow,
  });
  return {
    address,
    parent: form.parent ?? null,
    vendor,
    device,
    subsystemVendor,
    subsystemDevice,
    classCode: form.class,
    revision: form.revision ?? '00',
    header,
    multifunction,
    acs: isOn(form.acs, dependent.acs),
    conventionalBelow,
    group: form.group ?? null,
    nativeDriver: driverWord(form.driver, dependent.nativeDriver),
    bound: given(form.bound),
    override: given(form.override),
    realDmaDevice: form.realDmaDevice ?? null,
    dmaAliases: form.dmaAliases ?? [],
    numaNode: form.numa ?? -1,
    resetMethods: form.resets ?? dependent.resetMethods,
    bootVga: form.bootVga === undefined ? dependent.bootVga : isOn(form.bootVga, false),
    sriov: form.sriov === undefined ? null : sriovOf(form.sriov, address, numbering),
    reservedRegions: form.reserved ?? [],
    p2pmem: p2pmemOf(form.p2pmem),
    dead: isOn(form.dead, false),
    ...(form.firmwareNode === undefined ? {} : { firmwareNode: form.firmwareNode }),
    attributes: form.attributes ?? {},
    children: childrenOf(form, address, numbering),
  };
}

/** The function that a single entry means: what is plugged into a running machine. */
export function deviceFromForm(address: PciAddress, form: DeviceForm): DeviceSpec {
  return deviceOf(address, form, () => false, newNumbering());
}

function devicesOf(form: TopologyForm, numbering: Numbering): readonly DeviceSpec[] {
  const entries = Object.entries(form.devices).map(([key, device]) => {
    const address = parsePciAddress(key);
    return [present(address.ok ? address.value : null, `address ${key}`), device] as const;
  });
  entries.sort(([a], [b]) => comparePciAddresses(a, b));
  const several = defaults.severalFunctions(entries.map(([address]) => address));
  return entries.map(([address, device]) => deviceOf(address, device, several, numbering));
}

function driversOf(form: TopologyForm, devices: readonly DeviceSpec[]): readonly DriverSpec[] {
  const forms = form.drivers ?? {};
  const names = new Set([...defaults.impliedDrivers(devices), ...Object.keys(forms)]);
  return [...names].sort().map((name) => {
    const otherwise = defaults.defaultDriver(name);
    const own = forms[name];
    return {
      name,
      module: driverWord(own?.module, otherwise.module),
      loaded: isOn(own?.loaded, otherwise.loaded),
      fixed: isOn(own?.fixed, false),
    };
  });
}

function iommuOf(form: TopologyForm['iommu']): MachineSpec['iommu'] {
  const otherwise = defaults.defaultIommu(form?.kind ?? defaults.defaultIommuKind);
  return {
    kind: otherwise.kind,
    units: form?.units ?? otherwise.units,
    interruptRemapping: isOn(form?.interruptRemapping, otherwise.interruptRemapping),
    unsafeInterruptsAllowed: isOn(form?.unsafeInterruptsAllowed, false),
    ...(form?.domainType === undefined ? {} : { domainType: form.domainType }),
  };
}

/** Processes, mounts, stacked devices and what else the host has besides PCI devices. */
function hostOf(form: TopologyForm, numbering: Numbering) {
  const host = defaults.hostNamespace;
  return {
    platformDevices: (form.platformDevices ?? []).map((device) => ({
      name: device.name,
      bus: device.bus ?? 'platform',
      driver: given(device.driver),
      group: device.group,
    })),
    modules: (form.modules ?? []).map(({ name, refs }) => ({ name, refs: refs ?? 0 })),
    stacked: (form.stacked ?? []).map((stacked) => ({
      name: stacked.name,
      devno: numbering.devno(stacked.name, stacked.devno),
      dmUuid: given(stacked.dmUuid),
      dmName: given(stacked.dmName),
      mdState: given(stacked.mdState),
      backingFile: given(stacked.backingFile),
      holders: stacked.holders ?? [],
    })),
    storageTargets: form.storageTargets ?? [],
    mounts: (form.mounts ?? []).map((mount) => ({
      namespace: mount.namespace ?? host,
      source: mount.source,
      devno: mount.devno ?? numbering.numbered.get(mount.source) ?? '0:40',
      target: mount.target,
      fsType: mount.fsType,
    })),
    swaps: form.swaps ?? [],
    routes: (form.routes ?? []).map((route) => ({ ...route, gateway: given(route.gateway) })),
    processes: (form.processes ?? []).map((process) => ({
      pid: process.pid,
      comm: process.comm,
      mountNamespace: process.mountNamespace ?? host,
      netNamespace: process.netNamespace ?? host,
      files: process.files ?? [],
      fdinfo: process.fdinfo ?? {},
    })),
    zfsPools: (form.zfsPools ?? []).map(({ name, state }) => ({ name, state: state ?? 'ONLINE' })),
    consoles: form.consoles ?? defaults.defaultConsoles,
  };
}

/** The machine that a file of the right form means. `fileName` names it when the file does not. */
export function fillTopology(form: TopologyForm, fileName: string): MachineSpec {
  const name = form.name ?? fileName;
  const numbering = newNumbering();
  const devices = devicesOf(form, numbering);
  const virtualNets = (form.virtualNets ?? []).map((net, index) => ({
    ...numbering.net(net, `52:54:fe:00:00:${index.toString(16).padStart(2, '0')}`),
    type: net.type,
  }));
  return {
    name,
    description: form.description ?? '',
    profile: form.kernel?.profile ?? '6.12',
    release: given(form.kernel?.release),
    bootId: form.kernel?.bootId ?? defaults.bootIdOf(name),
    cmdline: form.kernel?.cmdline ?? defaults.defaultCmdline,
    iommu: iommuOf(form.iommu),
    cdev: isOn(form.cdev, false),
    noiommuMode: isOn(form.noiommu, false),
    devices,
    drivers: driversOf(form, devices),
    virtualNets,
    ...hostOf(form, numbering),
  };
}
