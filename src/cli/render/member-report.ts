// One member of a group as the data that is printed. Facts that could not be read are null (a driver: "?") and
// listed by path.
import { type Known, valueOr } from '../../base/known.ts';
import { className } from '../../pci/class-names.ts';
import { isBridge, type MemberDetail, type PciFunction } from '../../pci/function.ts';
import type { GroupMember, OtherMember } from '../../pci/group.ts';

/** One member, for output. */
export interface MemberReport {
  readonly address: string;
  /** `vendor:device`; question marks when not known, "" for what is no PCI function. */
  readonly id: string;
  readonly subsystem: string | null;
  /** Six hex digits. */
  readonly class: string;
  readonly description: string;
  /** Bound driver; null: none; "?": not known. */
  readonly driver: string | null;
  readonly role: 'endpoint' | 'bridge' | 'other';
  readonly numaNode: number | null;
  /** `vfioN` while bound to a VFIO driver. */
  readonly vfioDevice: string | null;
  readonly driverOverride: string | null;
  /** Ways to reset it, in the kernel's order; empty: none; null: not known. */
  readonly resetMethods: readonly string[] | null;
  readonly physicalFunction: string | null;
  readonly virtualFunctions: readonly string[] | null;
  /** What could not be read of it. */
  readonly unread: readonly { readonly path: string; readonly why: string }[];
}

/** The report of one member; `detail` is there for PCI functions that were looked at closely. */
export function memberReport(member: GroupMember, detail: MemberDetail | undefined): MemberReport {
  return member.kind === 'other' ? otherReport(member) : functionReport(member.fn, detail);
}

function functionReport(fn: PciFunction, detail: MemberDetail | undefined): MemberReport {
  const ids = orNull(fn.ids);
  const classCode = orNull(fn.classCode);
  return {
    address: fn.address,
    id: ids === null ? '????:????' : `${ids.vendor}:${ids.device}`,
    subsystem: ids === null ? null : `${ids.subsystemVendor}:${ids.subsystemDevice}`,
    class: classCode ?? '',
    description: classCode === null ? 'unknown class' : className(classCode),
    driver: valueOr(fn.driver, '?'),
    role: isBridge(fn) ? 'bridge' : 'endpoint',
    numaNode: orNull(fn.numaNode),
    vfioDevice: orNull(fn.vfioDevice),
    driverOverride: detail === undefined ? null : orNull(detail.driverOverride),
    resetMethods: detail === undefined ? null : orNull(detail.resetMethods),
    physicalFunction: orNull(fn.physicalFunction),
    virtualFunctions: orNull(fn.virtualFunctions),
    unread: [
      ...unread([fn.ids, fn.classCode, fn.driver, fn.vfioDevice, fn.groupNumber, fn.numaNode]),
      ...unread([fn.enableCount, fn.physicalFunction, fn.virtualFunctions]),
      ...(detail === undefined
        ? []
        : unread([detail.driverOverride, detail.accessible, detail.resetMethods])),
    ],
  };
}

function otherReport(member: OtherMember): MemberReport {
  const bus = valueOr(member.bus, null) ?? 'unknown bus';
  return {
    ...{ address: member.name, id: '', subsystem: null, class: '', description: `${bus} device` },
    ...{ driver: valueOr(member.driver, '?'), role: 'other', numaNode: null, vfioDevice: null },
    ...{ driverOverride: null, resetMethods: null, physicalFunction: null, virtualFunctions: null },
    unread: unread([member.bus, member.driver]),
  };
}

function orNull<T>(fact: Known<T>): T | null {
  return valueOr<T | null>(fact, null);
}

function unread(facts: readonly Known<unknown>[]): { path: string; why: string }[] {
  return facts.flatMap((fact) => (fact.known ? [] : [{ path: fact.path, why: fact.why }]));
}
