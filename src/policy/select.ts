// Selectors: does one function fit one selector. What is unknown of a function fits nothing.
import { slotOf } from '../pci/address.ts';
import type { PciFunction } from '../pci/function.ts';
import { globMatches } from './glob.ts';
import type { DeviceSelector } from './policy.ts';

/** The driver that a selector means: the one before a claim while the function is claimed. */
export type DriverOf = (fn: PciFunction) => string | null;

/** True when every condition given in `selector` holds for `fn`. A selector without conditions fits nothing. */
function selects(selector: DeviceSelector, fn: PciFunction, driverOf: DriverOf): boolean {
  const conditions = conditionsOf(selector, fn, driverOf);
  return conditions.length > 0 && conditions.every((holds) => holds);
}

function conditionsOf(selector: DeviceSelector, fn: PciFunction, driverOf: DriverOf): boolean[] {
  const ids = fn.ids.known ? fn.ids.value : null;
  const holds: boolean[] = [];
  const given = <T>(want: T | undefined, test: (want: T) => boolean): void => {
    if (want !== undefined) holds.push(test(want));
  };
  given(selector.vendor, (want) => ids?.vendor === want);
  given(selector.device, (want) => ids?.device === want);
  given(selector.subsystemVendor, (want) => ids?.subsystemVendor === want);
  given(selector.subsystemDevice, (want) => ids?.subsystemDevice === want);
  given(selector.class, (want) => fn.classCode.known && fn.classCode.value.startsWith(want));
  given(selector.address, (want) => globMatches(want, fn.address));
  given(selector.slot, (want) => slotOf(fn.address) === want);
  given(selector.driver, (want) => driverOf(fn) === want);
  given(
    selector.physicalFunction,
    (want) => fn.physicalFunction.known && fn.physicalFunction.value === want,
  );
  given(selector.numaNode, (want) => fn.numaNode.known && fn.numaNode.value === want);
  return holds;
}

/** True when any of `selectors` fits. */
export function selectsAny(
  selectors: readonly DeviceSelector[],
  fn: PciFunction,
  driverOf: DriverOf,
): boolean {
  return selectors.some((selector) => selects(selector, fn, driverOf));
}
