// What an errno of a step means, in a sentence. The kernel's answers are ambiguous, so the state that was read
// back decides between the causes.
import { assertNever } from '../base/assert.ts';
import type { Known } from '../base/known.ts';
import type { Step } from '../ownership/step.ts';

/** What was read back after a refusal. */
export interface Aftermath {
  /** The `driver` link. */
  readonly driver: Known<string | null>;
  /** The device has VFs: vfio-pci refuses such a physical function. */
  readonly hasVirtualFunctions: boolean;
}

/** One sentence, without the address. Sources: drivers/base/{bus,dd}.c, drivers/pci/{pci-driver,pci-sysfs}.c. */
export function errnoMeaning(step: Step, errno: string, aftermath: Aftermath): string {
  switch (errno) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'this process may not write to sysfs: it is mounted read-only, or the kernel is locked down';
    case 'EIO':
      return 'the process that made the call was lost, or the device does not answer; whether it was done is not known';
    default:
      return stepMeaning(step, errno, aftermath);
  }
}

function stepMeaning(step: Step, errno: string, aftermath: Aftermath): string {
  switch (step.kind) {
    case 'SetOverride':
      return errno === 'ENOENT' ? 'the device is gone' : 'driver_override was refused';
    case 'Unbind':
      if (errno === 'ENOENT') {
        return `${step.driver} is not loaded, or does not let go of devices (suppress_bind_attrs)`;
      }
      return errno === 'ENODEV' ? `it is not bound to ${step.driver}` : 'unbind was refused';
    case 'Bind':
      if (errno === 'ENOENT') return `${step.driver} is not loaded, or forbids bind`;
      return bindMeaning(step.driver, errno, aftermath);
    case 'Probe':
      return probeMeaning(step.expectDriver, errno, aftermath);
    case 'Reset':
      if (errno === 'ENOENT' || errno === 'ENOTTY') return 'it has no way to be reset';
      return errno === 'EAGAIN' || errno === 'EBUSY'
        ? 'it is busy with another reset'
        : 'reset failed';
    default:
      return assertNever(step, 'step');
  }
}

function probeMeaning(expected: string | null, errno: string, aftermath: Aftermath): string {
  if (errno === 'ENODEV') return 'the device is gone';
  // drivers_probe turns every refusal of pci_dma_configure into EINVAL.
  if (errno === 'EINVAL')
    return 'its group is owned by a userspace driver, or its DMA cannot be set up';
  return bindMeaning(expected ?? 'any driver', errno, aftermath);
}

function bindMeaning(driver: string, errno: string, aftermath: Aftermath): string {
  switch (errno) {
    case 'EBUSY':
      if (aftermath.driver.known && aftermath.driver.value !== null) {
        return `it is bound to ${aftermath.driver.value} already`;
      }
      if (aftermath.hasVirtualFunctions) {
        return `it has virtual functions, and ${driver} does not take a physical function with them`;
      }
      return 'its group is owned by a userspace driver, or an unbind of it is still going on';
    case 'ENODEV':
      return `${driver} does not match it (id table or driver_override), or the device is gone`;
    case 'EAGAIN':
      return `${driver} waits for something else to come up first (probe deferral)`;
    case 'EINVAL':
      return `${driver} refused it: a bridge, no IOMMU group, or on its list of unsafe devices`;
    default:
      return `${driver} failed to probe it`;
  }
}
