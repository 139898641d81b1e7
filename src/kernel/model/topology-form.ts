// The form of a topology file, field by field: what a person writes and what an export has. Only the
// form; defaults are filled in topology-fill.ts, and what must fit together is checked in topology-check.ts.
import * as z from 'zod';
import * as scalar from './topology-scalars.ts';

const { address, flag, listOf, mapping, name, named, text, whole } = scalar;

/** Version of the form: the value of the field `topology`. Raised when an old file would mean something else. */
export const topologyVersion = '1';

const netFields = {
  name,
  mac: scalar.mac.optional(),
  up: flag.optional(),
  carrier: flag.optional(),
  addresses: listOf(scalar.cidr),
  master: name.optional(),
  uppers: listOf(name),
  namespace: name.optional(),
};

const netForm = mapping(netFields);

const partitionForm = mapping({
  name,
  sectors: whole(0, 2 ** 53 - 1).optional(),
  devno: scalar.devno.optional(),
  contents: name.optional(),
  holders: listOf(name),
});

const blockForm = mapping({
  name,
  sectors: whole(0, 2 ** 53 - 1).optional(),
  devno: scalar.devno.optional(),
  contents: name.optional(),
  holders: listOf(name),
  partitions: listOf(partitionForm),
});

const interfaceTriple = scalar.textOf(
  /^[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{2}$/,
  'class/subclass/protocol, two hex digits each, for example 03/01/01',
);

const usbForm = mapping({
  name: scalar.textOf(/^\d+-\d+(\.\d+)*$/, 'bus-port, for example 1-2 or 1-2.4'),
  product: text.optional(),
  interfaces: listOf(interfaceTriple),
  block: listOf(blockForm),
  net: listOf(netForm),
  serial: listOf(name),
  input: listOf(name),
});

const childFields = {
  net: listOf(netForm),
  block: listOf(blockForm),
  nvme: name.optional(),
  nvmeSubsystem: name.optional(),
  virtio: name.optional(),
  drm: listOf(name),
  connectors: named(
    name,
    scalar.oneOf(['connected', 'disconnected', 'unknown'] as const),
  ).optional(),
  framebuffer: name.optional(),
  sound: mapping({ card: whole(0, 31), open: listOf(name) }).optional(),
  usb: listOf(usbForm),
  serial: listOf(mapping({ name, console: flag.optional() })),
  infiniband: listOf(name),
  watchdog: mapping({ name, state: scalar.oneOf(['active', 'inactive'] as const) }).optional(),
  tpm: name.optional(),
  dma: listOf(mapping({ name, inUse: flag.optional() })),
  mdev: listOf(name),
  vdpa: listOf(name),
  other: named(name, z.array(name, { error: scalar.mustBe('a list of names') })).optional(),
};

const vfForm = mapping({
  bound: name.optional(),
  override: name.optional(),
  group: whole(0, 1_000_000).optional(),
  ...childFields,
});

const sriovForm = mapping({
  totalVfs: whole(1, 65_535),
  numVfs: whole(0, 65_535).optional(),
  vfDevice: scalar.hex4,
  vfOffset: whole(1, 65_535).optional(),
  vfStride: whole(1, 65_535).optional(),
  vfDriver: name.optional(),
  vfs: listOf(vfForm),
});

const regionLine = scalar.textOf(
  /^0x[0-9a-f]{16} 0x[0-9a-f]{16} (direct|direct-relaxable|reserved|msi)$/,
  'a line "0xSTART 0xEND type" (16 hex digits each; direct, direct-relaxable, reserved or msi)',
);

const resetMethod = scalar.oneOf([
  'device_specific',
  'acpi',
  'flr',
  'af_flr',
  'pm',
  'bus',
  'cxl_bus',
] as const);

/** One entry of `devices`; also what is plugged into a running machine. */
export const deviceForm = mapping({
  id: scalar.idPair,
  class: scalar.classCode,
  parent: address.optional(),
  subsystem: scalar.idPair.optional(),
  revision: scalar.hex2.optional(),
  header: scalar.oneOf(['endpoint', 'bridge', 'cardbus'] as const).optional(),
  multifunction: flag.optional(),
  acs: flag.optional(),
  conventionalBelow: flag.optional(),
  group: whole(0, 1_000_000).optional(),
  driver: name.optional(),
  bound: name.optional(),
  override: text.optional(),
  realDmaDevice: address.optional(),
  dmaAliases: listOf(address),
  numa: whole(-1, 1023).optional(),
  resets: listOf(resetMethod),
  bootVga: flag.optional(),
  sriov: sriovForm.optional(),
  reserved: listOf(regionLine),
  p2pmem: mapping({
    size: whole(0, 2 ** 53 - 1),
    available: whole(0, 2 ** 53 - 1).optional(),
    published: flag.optional(),
  }).optional(),
  dead: flag.optional(),
  firmwareNode: scalar.textOf(/^\/devices\/\S+$/, 'a path below /devices').optional(),
  attributes: named(name, text).optional(),
  ...childFields,
});

const iommuForm = mapping({
  kind: scalar.oneOf(['none', 'intel', 'amd'] as const),
  units: listOf(name),
  interruptRemapping: flag.optional(),
  unsafeInterruptsAllowed: flag.optional(),
  domainType: scalar.oneOf(['DMA', 'DMA-FQ', 'identity'] as const).optional(),
});

const kernelForm = mapping({
  profile: scalar.oneOf(['legacy', '6.1', '6.12', '7.2'] as const).optional(),
  release: name.optional(),
  cmdline: text.optional(),
  bootId: name.optional(),
});

/** The whole file. */
export const topologyForm = mapping({
  topology: z.union([z.literal(topologyVersion), z.literal(1)], {
    error: scalar.mustBe(`${topologyVersion}, the version of the form`),
  }),
  name: name.optional(),
  description: text.optional(),
  kernel: kernelForm.optional(),
  iommu: iommuForm.optional(),
  cdev: flag.optional(),
  noiommu: flag.optional(),
  devices: named(address, deviceForm),
  platformDevices: listOf(
    mapping({ name, bus: name.optional(), driver: name.optional(), group: whole(0, 1_000_000) }),
  ),
  drivers: named(
    name,
    mapping({ module: name.optional(), loaded: flag.optional(), fixed: flag.optional() }),
  ).optional(),
  modules: listOf(mapping({ name, refs: whole(0, 1_000_000).optional() })),
  stacked: listOf(
    mapping({
      name,
      devno: scalar.devno.optional(),
      dmUuid: name.optional(),
      dmName: name.optional(),
      mdState: name.optional(),
      backingFile: text.optional(),
      holders: listOf(name),
    }),
  ),
  virtualNets: listOf(mapping({ ...netFields, type: name })),
  storageTargets: listOf(mapping({ kind: scalar.oneOf(['lio', 'nvmet'] as const), device: name })),
  mounts: listOf(
    mapping({
      source: text,
      target: text,
      fsType: name,
      namespace: name.optional(),
      devno: scalar.devno.optional(),
    }),
  ),
  swaps: listOf(name),
  routes: listOf(
    mapping({
      destination: scalar.cidr,
      gateway: scalar.textOf(/^[0-9a-f.:]+$/, 'an IP address').optional(),
      iface: name,
    }),
  ),
  processes: listOf(
    mapping({
      pid: whole(1, 4_194_304),
      comm: scalar.textOf(/^[^\n]{1,15}$/, 'a command name of 1 to 15 characters'),
      mountNamespace: name.optional(),
      netNamespace: name.optional(),
      files: listOf(text),
      fdinfo: named(text, text).optional(),
    }),
  ),
  zfsPools: listOf(mapping({ name, state: name.optional() })),
  consoles: listOf(name),
});

/** A file that has the form. */
export type TopologyForm = z.output<typeof topologyForm>;
/** One entry of `devices`. */
export type DeviceForm = z.output<typeof deviceForm>;
/** The fields of what hangs below a device or a VF. */
export type ChildForm = Omit<z.output<typeof vfForm>, 'bound' | 'override' | 'group'>;
/** One interface. */
export type NetForm = z.output<typeof netForm>;
/** One disk. */
export type BlockForm = z.output<typeof blockForm>;
