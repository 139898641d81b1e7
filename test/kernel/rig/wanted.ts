// What the rig needs from Debian, as data: the kernels, the programs, and the suites that have them.

/** A kernel by the profile of the model that answers for it. */
export interface WantedKernel {
  readonly name: KernelName;
  /** The highest version that begins so is taken; empty: the highest of all. */
  readonly version: string;
  /** The package that names its image; `linux-image-amd64` unless said. */
  readonly image?: string;
  /** The package with its source: VFIO is built anew from it, with iommufd and device files. */
  readonly source?: string;
}

/** Kernels that a guest can boot. */
export const kernelNames = ['6.1', '6.12', '6.12-cdev', 'newest', '5.10'] as const;

/** One of them. */
export type KernelName = (typeof kernelNames)[number];

/**
 * The kernels. `newest` is whatever Debian's unstable suite has today. None of them has iommufd, so one is taken for
 * which the source is there as well, from the suite with the oldest compiler: a newer one builds for it, too.
 */
export const wantedKernels: readonly WantedKernel[] = [
  { name: '6.1', version: '6.1.' },
  { name: '6.12', version: '6.12.' },
  {
    name: '6.12-cdev',
    version: '6.12.',
    image: 'linux-image-6.12-amd64',
    source: 'linux-source-6.12',
  },
  { name: 'newest', version: '' },
  { name: '5.10', version: '5.10.' },
];

/** Programs by the folder they are unpacked into, from one suite each, with the libraries they need. */
export const wantedPrograms = {
  /** QEMU from 8 on has igb, the network card with SR-IOV. */
  qemu: {
    suite: 'trixie',
    packages: ['qemu-system-x86', 'ipxe-qemu', 'busybox-static', 'libatomic1', 'libstdc++6'],
  },
  /** The QEMU of the recorded transcripts: its devices have other capabilities than later ones. */
  recorder: { suite: 'bookworm', packages: ['qemu-system-x86', 'ipxe-qemu'] },
  /** For disks and networks, inside. */
  tools: {
    suite: 'trixie',
    packages: [
      ...[
        'mdadm',
        'lvm2',
        'dmsetup',
        'btrfs-progs',
        'e2fsprogs',
        'iproute2',
        'util-linux',
        'mount',
      ],
    ],
  },
} as const;

/** One of these folders. */
export type ProgramName = keyof typeof wantedPrograms;

/** Suites of the main archive and of the security archive that are looked at; one that is not there is left out. */
export const suites = {
  main: ['bullseye', 'bookworm', 'bookworm-backports', 'trixie', 'sid'],
  security: ['bullseye-security', 'bookworm-security', 'trixie-security'],
} as const;
