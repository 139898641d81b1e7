// What a class code means, in the words of the PCI Code and ID Assignment Specification: for people only,
// nothing is decided by it.

const subclasses: Readonly<Record<string, string>> = {
  '0100': 'SCSI controller',
  '0101': 'IDE controller',
  '0104': 'RAID controller',
  '0106': 'SATA controller',
  '0107': 'SAS controller',
  '0108': 'NVMe controller',
  '0200': 'Ethernet controller',
  '0207': 'InfiniBand controller',
  '0280': 'Network controller',
  '0300': 'VGA controller',
  '0302': '3D controller',
  '0380': 'Display controller',
  '0401': 'Audio device',
  '0403': 'Audio device',
  '0500': 'RAM memory',
  '0600': 'Host bridge',
  '0601': 'ISA bridge',
  '0604': 'PCI bridge',
  '0609': 'PCI bridge',
  '0680': 'Bridge',
  '0700': 'Serial controller',
  '0780': 'Communication controller',
  '0801': 'DMA controller',
  '0805': 'SD controller',
  '0806': 'IOMMU',
  '0880': 'System peripheral',
  '0c03': 'USB controller',
  '0c05': 'SMBus',
  '0c80': 'Serial bus controller',
  '1000': 'Encryption controller',
  '1080': 'Encryption controller',
  '1101': 'Performance counters',
  '1180': 'Signal processing controller',
  '1200': 'Processing accelerator',
};

const classes: Readonly<Record<string, string>> = {
  '00': 'Unclassified device',
  '01': 'Storage controller',
  '02': 'Network controller',
  '03': 'Display controller',
  '04': 'Multimedia controller',
  '05': 'Memory controller',
  '06': 'Bridge',
  '07': 'Communication controller',
  '08': 'System peripheral',
  '09': 'Input device',
  '0b': 'Processor',
  '0c': 'Serial bus controller',
  '0d': 'Wireless controller',
  '10': 'Encryption controller',
  '11': 'Signal processing controller',
  '12': 'Processing accelerator',
};

/** A short name for a six-digit class code; the code itself where there is none. */
export function className(classCode: string): string {
  return (
    subclasses[classCode.slice(0, 4)] ?? classes[classCode.slice(0, 2)] ?? `class ${classCode}`
  );
}
