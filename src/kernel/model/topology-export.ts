// A machine as the text of a topology file: the other direction of parseTopology. Whatever equals its
// default is left out, so that an export is as short as what a person would write.
import { stringify } from 'yaml';
import type { DeviceSpec, MachineSpec } from './spec.ts';
import * as defaults from './topology-defaults.ts';
import { compact, exportChildren, exportNet, type Plain } from './topology-export-children.ts';
import { topologyVersion } from './topology-form.ts';

const idPair = (vendor: string, device: string): string => `${vendor}:${device}`;

/** A driver word: absent when it is the default, `none` when there is no driver but would be one. */
function driverWord(name: string | null, otherwise: string | null): string | undefined {
  return name === otherwise ? undefined : (name ?? 'none');
}

function exportSriov(sriov: DeviceSpec['sriov']): Plain | undefined {
  if (sriov === null) return undefined;
  const vfs = sriov.vfs.map((vf) =>
    compact({
      bound: vf.bound,
      override: vf.override,
      group: vf.group,
      ...exportChildren(vf.children),
    }),
  );
  return compact({
    totalVfs: sriov.totalVfs,
    numVfs: sriov.numVfs === vfs.length ? undefined : sriov.numVfs,
    vfDevice: sriov.vfDevice,
    vfOffset: sriov.vfOffset === 1 ? undefined : sriov.vfOffset,
    vfStride: sriov.vfStride === 1 ? undefined : sriov.vfStride,
    vfDriver: sriov.vfDriver,
    vfs,
  });
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index]);
}

/** What differs from the defaults; a function per concern keeps each short. */
function exportPlace(device: DeviceSpec, several: boolean): Plain {
  const { multifunction } = device;
  const defaultHeader = defaults.defaultHeader(device.classCode);
  const dependent = defaults.dependentDefaults(device);
  return {
    parent: device.parent,
    header: device.header === defaultHeader ? undefined : device.header,
    multifunction: multifunction === several ? undefined : multifunction,
    conventionalBelow: device.conventionalBelow || undefined,
    acs: device.acs === dependent.acs ? undefined : device.acs,
    group: device.group,
    driver: driverWord(device.nativeDriver, dependent.nativeDriver),
    bound: device.bound,
    override: device.override,
    realDmaDevice: device.realDmaDevice,
    dmaAliases: device.dmaAliases,
    resets: sameList(device.resetMethods, dependent.resetMethods) ? undefined : device.resetMethods,
    bootVga: device.bootVga === dependent.bootVga ? undefined : (device.bootVga ?? undefined),
  };
}

function exportDevice(device: DeviceSpec, several: boolean): Plain {
  const subsystem = idPair(device.subsystemVendor, device.subsystemDevice);
  const { resets, ...place } = exportPlace(device, several);
  return {
    ...compact({
      id: idPair(device.vendor, device.device),
      class: device.classCode,
      subsystem: subsystem === '0000:0000' ? undefined : subsystem,
      revision: device.revision === '00' ? undefined : device.revision,
      ...place,
      numa: device.numaNode === -1 ? undefined : device.numaNode,
      sriov: exportSriov(device.sriov),
      reserved: device.reservedRegions,
      p2pmem: device.p2pmem === null ? undefined : { ...device.p2pmem },
      dead: device.dead || undefined,
      firmwareNode: device.firmwareNode,
      attributes: device.attributes,
      ...exportChildren(device.children),
    }),
    // An empty list says that nothing resets the device, so it must not be dropped as empty.
    ...(resets === undefined ? {} : { resets }),
  };
}

function exportDrivers(spec: MachineSpec): Plain {
  const implied = new Set(defaults.impliedDrivers(spec.devices));
  return Object.fromEntries(
    spec.drivers.flatMap((driver) => {
      const otherwise = defaults.defaultDriver(driver.name);
      const own: Plain = {};
      const module = driverWord(driver.module, otherwise.module);
      if (module !== undefined) own['module'] = module;
      if (driver.loaded !== otherwise.loaded) own['loaded'] = driver.loaded;
      if (driver.fixed) own['fixed'] = true;
      return Object.keys(own).length === 0 && implied.has(driver.name) ? [] : [[driver.name, own]];
    }),
  );
}

function exportIommu(iommu: MachineSpec['iommu']): Plain {
  const otherwise = defaults.defaultIommu(iommu.kind);
  return {
    kind: iommu.kind,
    ...(sameList(iommu.units, otherwise.units) ? {} : { units: iommu.units }),
    ...(iommu.interruptRemapping === otherwise.interruptRemapping
      ? {}
      : { interruptRemapping: iommu.interruptRemapping }),
    ...(iommu.unsafeInterruptsAllowed ? { unsafeInterruptsAllowed: true } : {}),
    ...(iommu.domainType === undefined ? {} : { domainType: iommu.domainType }),
  };
}

function exportHost(spec: MachineSpec): Plain {
  const host = defaults.hostNamespace;
  const elsewhere = (namespace: string): string | undefined =>
    namespace === host ? undefined : namespace;
  return {
    platformDevices: spec.platformDevices.map((device) => compact({ ...device })),
    modules: spec.modules.map(({ name, refs }) => compact({ name, refs: refs || undefined })),
    stacked: spec.stacked.map((stacked) => compact({ ...stacked })),
    virtualNets: spec.virtualNets.map((net) => ({ ...exportNet(net), type: net.type })),
    storageTargets: spec.storageTargets.map((target) => ({ ...target })),
    mounts: spec.mounts.map((mount) =>
      compact({ ...mount, namespace: elsewhere(mount.namespace) }),
    ),
    swaps: spec.swaps,
    routes: spec.routes.map((route) => compact({ ...route })),
    processes: spec.processes.map((process) =>
      compact({
        ...process,
        mountNamespace: elsewhere(process.mountNamespace),
        netNamespace: elsewhere(process.netNamespace),
      }),
    ),
    zfsPools: spec.zfsPools.map((pool) => ({ ...pool })),
  };
}

/** The plain data of a topology file for `spec`: written as JSON or YAML, it parses back to an equal machine. */
export function topologyData(spec: MachineSpec): Plain {
  const several = defaults.severalFunctions(spec.devices.map((device) => device.address));
  return {
    topology: topologyVersion,
    name: spec.name,
    ...compact({ description: spec.description === '' ? undefined : spec.description }),
    kernel: compact({
      profile: spec.profile,
      release: spec.release,
      cmdline: spec.cmdline,
      bootId: spec.bootId,
    }),
    iommu: exportIommu(spec.iommu),
    ...compact({ cdev: spec.cdev || undefined, noiommu: spec.noiommuMode || undefined }),
    devices: Object.fromEntries(
      spec.devices.map((device) => [device.address, exportDevice(device, several(device.address))]),
    ),
    ...compact({ drivers: exportDrivers(spec), ...exportHost(spec) }),
    consoles: spec.consoles,
  };
}

/**
 * The text of a topology file for `spec`. parseTopology(exportTopology(spec), …) gives an equal machine,
 * so an export from a live machine is a test case.
 */
export function exportTopology(spec: MachineSpec): string {
  const comment =
    'A machine as wholegroup sees it. Run it with: wholegroup sim --topology THIS-FILE';
  const body = stringify(topologyData(spec), {
    lineWidth: 0,
    defaultStringType: 'PLAIN',
    aliasDuplicateObjects: false,
  });
  return `# ${comment}\n${body}`;
}
