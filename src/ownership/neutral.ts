// Which drivers leave the kernel's DMA ownership alone. `driver_managed_dma` is not visible in sysfs, so
// this is decided by what is: a `vfio-dev/` child, or one of the few names that are known to set the flag.
import { isBridge, type PciFunction } from '../pci/function.ts';

/**
 * How a function stands towards its group.
 * `Kernel` drivers own DMA for the kernel (iommu_device_use_default_domain); all others are neutral.
 */
export type Stance = 'Driverless' | 'Vfio' | 'Parked' | 'Port' | 'Kernel' | 'Unknown';

/**
 * Drivers with `.driver_managed_dma = true` that bind PCI functions without making them assignable
 * (complete grep of Linux 7.2: drivers/pci/pci-stub.c, drivers/pci/pcie/portdrv.c).
 */
const parkingDrivers: ReadonlySet<string> = new Set(['pci-stub']);
const portDrivers: ReadonlySet<string> = new Set(['pcieport']);

/**
 * The stance of one function. Everything not known to be neutral counts as a kernel holder: shpchp,
 * uio_pci_generic, pciback and nvidia are, whatever their purpose.
 */
export function stanceOf(fn: PciFunction): Stance {
  if (!fn.driver.known || !fn.vfioDevice.known) return 'Unknown';
  if (fn.vfioDevice.value !== null) return 'Vfio';
  const driver = fn.driver.value;
  if (driver === null) return 'Driverless';
  if (parkingDrivers.has(driver)) return 'Parked';
  if (portDrivers.has(driver) && isBridge(fn)) return 'Port';
  return 'Kernel';
}
