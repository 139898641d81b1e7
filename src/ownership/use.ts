// What the host (or someone else) does with a device: evidence found by host/, judged by blockers.ts.
import type { PciAddress } from '../pci/address.ts';

/** The file that was read, and what it said. Short enough for one line. */
export interface Evidence {
  readonly path: string;
  readonly says: string;
}

/** Every kind of use that host/ looks for. The catalogue of blockers has meaning and remedy of each. */
export const hostUseKinds = [
  // block storage
  ...([
    'RootDisk',
    'FilesystemMounted',
    'SwapActive',
    'VolumeGroupActive',
    'RaidArrayActive',
  ] as const),
  ...([
    'DeviceMapperActive',
    'ZfsPoolMember',
    'BcacheActive',
    'LoopBacking',
    'BlockDeviceOpen',
  ] as const),
  ...(['NvmeMultipathShared', 'StorageTargetExport'] as const),
  // network
  ...(['NetworkDefaultRoute', 'NodeAddress', 'NetworkAddress', 'NetworkInterfaceUp'] as const),
  ...(['NetworkLowerDevice', 'NetworkInOtherNamespace', 'RdmaInUse'] as const),
  // display, sound, usb, serial
  ...([
    'BootDisplay',
    'FramebufferConsole',
    'DisplayClient',
    'GpuComputeClient',
    'SoundInUse',
  ] as const),
  ...([
    'UsbInput',
    'UsbStorage',
    'UsbNetwork',
    'UsbSerial',
    'SystemConsole',
    'SerialPortOpen',
  ] as const),
  // platform services
  ...([
    'TpmInUse',
    'CryptoInUse',
    'DmaEngineInUse',
    'WatchdogActive',
    'IpmiInUse',
    'SystemBus',
  ] as const),
  ...(['PeerMemoryPublished'] as const),
  // virtualisation
  ...([
    'VirtualFunctionsExist',
    'ForeignVfioUser',
    'ForeignUioUser',
    'MediatedDevices',
    'VdpaDevices',
  ] as const),
  // what could not be found out
  ...(['UnknownUse'] as const),
] as const;

/** One of the kinds of use. */
export type HostUseKind = (typeof hostUseKinds)[number];

/** One use of one device. */
export interface HostUse {
  readonly kind: HostUseKind;
  readonly address: PciAddress;
  /** What uses or is used, as an administrator names it: `nvme0n1p2 on /var`, `eth0 192.0.2.7`, `pid 4711 (qemu)`. */
  readonly subject: string;
  readonly evidence: Evidence;
}

/** Whether anyone has a member open through VFIO. `unknown` counts as someone. */
export type Inside =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'someone'; readonly evidence: readonly Evidence[] }
  | { readonly kind: 'unknown'; readonly evidence: readonly Evidence[] };
