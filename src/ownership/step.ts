// One write of a plan. Steps are idempotent data; host/ executes one, reads back, and says what came of it.
import type { Evidence } from './use.ts';
import type { PciAddress } from '../pci/address.ts';

/** A single change to one member. */
export type Step =
  | {
      readonly kind: 'SetOverride';
      readonly address: PciAddress;
      /** Driver name, or null to clear it (written as "\n": a zero-length write does not reach sysfs). */
      readonly override: string | null;
    }
  | { readonly kind: 'Unbind'; readonly address: PciAddress; readonly driver: string }
  | {
      readonly kind: 'Probe';
      readonly address: PciAddress;
      /** Driver that must be bound afterwards; null when any outcome will do. drivers_probe itself proves nothing. */
      readonly expectDriver: string | null;
    }
  /** Writes `drivers/<driver>/bind`: giving back names the driver, where a probe would take whichever matches first. */
  | { readonly kind: 'Bind'; readonly address: PciAddress; readonly driver: string }
  | { readonly kind: 'Reset'; readonly address: PciAddress };

/** What came of a step, after reading back. */
export type StepOutcome =
  | { readonly kind: 'done' }
  /** Was already as the step wants it: nothing was written. */
  | { readonly kind: 'unneeded' }
  /** The kernel refused, or the read-back shows something else. */
  | {
      readonly kind: 'failed';
      readonly errno: string | null;
      readonly message: string;
      readonly evidence: Evidence;
    }
  /** Still blocked in the kernel; the late outcome is delivered through `settles` (never rejects). */
  | { readonly kind: 'pending'; readonly settles: Promise<StepOutcome> };
