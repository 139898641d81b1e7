// Modules that guests load, by set. A guest loads in this order, with what each needs before it; the order decides
// which driver registers first, and so what a probe tries first.

/** Drivers of the transcripts' machine, as they were loaded when the transcripts were recorded. */
export const transcriptModules: readonly string[] = [
  ...['vfio', 'vfio_iommu_type1', 'vfio_pci', 'pci_stub', 'e1000', 'nvme', 'uio_pci_generic'],
];

/** Everything a guest with the agent may need. */
export const agentModules: readonly string[] = [
  // Checksums and ciphers first: file systems ask for them by the name of the algorithm.
  ...['crc32c_generic', 'crc32c_intel', 'crc32c', 'libcrc32c', 'blake2b_generic', 'xxhash_generic'],
  ...['sha256_generic', 'xts', 'aes_generic', 'aesni_intel'],
  ...['vfio', 'vfio_iommu_type1', 'vfio_pci', 'pci_stub', 'uio_pci_generic'],
  ...[
    'virtio_pci',
    'virtio_net',
    'virtio_blk',
    'e1000',
    'e1000e',
    'igb',
    'igbvf',
    'nvme',
    '8139cp',
  ],
  ...['ahci', 'sd_mod', 'i2c_i801', 'lpc_ich', 'bochs', 'snd_hda_intel', 'xhci_pci', 'usb_storage'],
  ...[
    'usbhid',
    'hid_generic',
    'evdev',
    'ext4',
    'btrfs',
    'loop',
    'md_mod',
    'raid1',
    'dm_mod',
    'dm_crypt',
  ],
  ...[
    'xts',
    'aes_generic',
    'aesni_intel',
    'bonding',
    'bridge',
    'veth',
    'af_packet',
    'overlay',
    'ipv6',
  ],
];
