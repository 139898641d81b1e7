// What random kernel scripts are about: the functions, drivers and files of the transcripts' machine, how often which
// of them is chosen, and how long what they begin may take.

/** A function that has a driver of its own on this machine, or could have. */
export interface Device {
  readonly address: string;
  readonly native: string;
  readonly group: number;
}

/** The endpoints. */
export const devices: readonly Device[] = [
  { address: '0000:00:05.0', native: 'e1000', group: 1 },
  { address: '0000:00:05.1', native: 'e1000', group: 1 },
  { address: '0000:00:06.0', native: 'nvme', group: 2 },
  { address: '0000:01:00.0', native: 'e1000e', group: 3 },
  { address: '0000:02:01.0', native: 'e1000', group: 4 },
  { address: '0000:04:00.0', native: 'nvme', group: 8 },
];
/** Drivers that belong to hardware of this machine. */
export const natives: ReadonlySet<string> = new Set(devices.map(({ native }) => native));
/** Functions that are there when somebody has made them. */
export const virtualFunctions = ['0000:04:00.1', '0000:04:00.2'];
/** Functions with a bus below. */
export const ports = ['0000:00:07.0', '0000:00:08.0', '0000:00:09.0'];
/** Where virtual functions are made. */
export const sriov = '/sys/bus/pci/devices/0000:04:00.0/sriov_numvfs';
/** What is written to `driver_override`. */
export const overrides = [
  'vfio-pci',
  'vfio-pci',
  'pci-stub',
  'uio_pci_generic',
  'e1000',
  'nvme',
  'none',
  '\\n',
];
/** Drivers that are asked to bind. */
export const drivers = ['vfio-pci', 'pci-stub', 'uio_pci_generic', 'e1000', 'nvme', 'pcieport'];

/** A file of a function. */
export const fileOf = (address: string, name: string): string =>
  `/sys/bus/pci/devices/${address}/${name}`;

/** What was plugged in has come, and gone. */
export const pluggedMs = 2500;
/** Whoever waited for a file has come to its end then. */
export const releasedMs = 60;
/** Device files are numbered from 0 on; as many are tried. */
export const deviceFiles = 3;
/** How much of a script is about its own functions. */
export const ownShare = 0.8;
/** How often it begins with giving them to VFIO. */
export const takenShare = 0.7;
/** How often whoever wants to use a function sees first that VFIO has it. */
export const preparedShare = 0.4;

/** SIGKILL and SIGTERM. */
export const signals = [9, 15];
/** How long a child is waited for, and in the end. */
export const waitMs = 1200;
export const tidyWaitMs = 20_000;

/** What starts in the background has come to its end then. */
export const settleMs = 400;

/** Commands that bring every function back to the driver it has from the start. */
export function givenBack(): readonly string[] {
  const every = [...devices.map((each) => each.address), ...virtualFunctions, ...ports];
  return [
    `w ${fileOf('0000:04:00.0', 'sriov_drivers_autoprobe')} 0`,
    'w /sys/bus/pci/rescan 1',
    ...every.flatMap((address) => [
      `w ${fileOf(address, 'driver_override')} \\n`,
      ...['vfio-pci', 'pci-stub', 'uio_pci_generic'].map(
        (driver) => `w /sys/bus/pci/drivers/${driver}/unbind ${address}`,
      ),
      `w /sys/bus/pci/drivers_probe ${address}`,
    ]),
    `sleep ${settleMs / 2}`,
    `w ${sriov} 0`,
    'ueq',
  ];
}
