// Claim and return as data: the steps that are still needed, told from the record and a fresh look. Empty
// means done. Every step is idempotent and every plan is made anew after anything changed, so a crash
// between any two steps needs no other recovery than planning again.
import type { PciAddress } from '../pci/address.ts';
import type { MemberDetail, PciFunction } from '../pci/function.ts';
import { pciFunctions } from '../pci/group.ts';
import type { GroupLook } from './look.ts';
import type { GroupRecord, RecordedMember } from './record.ts';
import type { Step } from './step.ts';

interface Pair {
  readonly member: RecordedMember;
  readonly fn: PciFunction;
  readonly detail: MemberDetail | undefined;
}

/** Recorded endpoints that are present now, in address order. Bridges are never touched. */
function pairs(record: GroupRecord, look: GroupLook): Pair[] {
  const functions = new Map<PciAddress, PciFunction>();
  for (const fn of pciFunctions(look.group)) functions.set(fn.address, fn);
  const found: Pair[] = [];
  for (const member of record.members) {
    const fn = functions.get(member.address);
    if (fn === undefined || member.role === 'bridge') continue;
    const detail = look.details.find((candidate) => candidate.address === member.address);
    found.push({ member, fn, detail });
  }
  return found;
}

function boundDriver(fn: PciFunction): string | null {
  return fn.driver.known ? fn.driver.value : null;
}

function overrideOf(detail: MemberDetail | undefined): string | null | undefined {
  return detail?.driverOverride.known === true ? detail.driverOverride.value : undefined;
}

/**
 * What is left to take the whole group: first the override on every endpoint (from then on no other driver
 * can bind: pci_match_device), then every unbind, then every probe.
 */
export function claimSteps(record: GroupRecord, look: GroupLook): readonly Step[] {
  const members = pairs(record, look);
  const target = record.vfioDriver;
  const overrides: Step[] = [];
  const unbinds: Step[] = [];
  const probes: Step[] = [];
  for (const { fn, detail } of members) {
    const address = fn.address;
    const driver = boundDriver(fn);
    if (overrideOf(detail) !== target)
      overrides.push({ kind: 'SetOverride', address, override: target });
    if (driver !== null && driver !== target) unbinds.push({ kind: 'Unbind', address, driver });
    if (driver !== target) probes.push({ kind: 'Probe', address, expectDriver: target });
  }
  return [...overrides, ...unbinds, ...probes];
}

/**
 * What is left to give the group back as it was: unbind what is not the original driver, restore every
 * override, then bind every original driver by name. Members bound to VFIO before the claim stay bound.
 * The caller has made sure that nobody is inside (R4) and does so again before each unbind.
 */
export function returnSteps(record: GroupRecord, look: GroupLook): readonly Step[] {
  const unbinds: Step[] = [];
  const overrides: Step[] = [];
  const binds: Step[] = [];
  for (const { member, fn, detail } of pairs(record, look)) {
    const address = fn.address;
    const driver = boundDriver(fn);
    const wrong = driver !== null && driver !== member.originalDriver;
    if (wrong) unbinds.push({ kind: 'Unbind', address, driver });
    if (overrideOf(detail) !== member.originalOverride) {
      overrides.push({ kind: 'SetOverride', address, override: member.originalOverride });
    }
    if (member.originalDriver !== null && driver !== member.originalDriver) {
      binds.push({ kind: 'Bind', address, driver: member.originalDriver });
    }
  }
  return [...unbinds, ...overrides, ...binds];
}

/** Resets that are due before anybody else gets the devices: endpoints on the VFIO driver that can be reset. */
export function resetSteps(record: GroupRecord, look: GroupLook): readonly Step[] {
  if (!record.resetDue || record.reset === 'Never') return [];
  return pairs(record, look)
    .filter(({ fn, detail }) => boundDriver(fn) === record.vfioDriver && canReset(detail))
    .map(({ fn }) => ({ kind: 'Reset', address: fn.address }));
}

function canReset(detail: MemberDetail | undefined): boolean {
  return detail?.resetMethods.known === true && detail.resetMethods.value.length > 0;
}
