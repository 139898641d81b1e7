// The status of the PassthroughNode object: why does this node offer nothing? Pure.
import { type Condition, type ConditionNow, setConditions } from '../../api/condition.ts';
import type { NodeStatus } from '../../api/passthrough-node.ts';
import { type Known, valueOr } from '../../base/known.ts';
import { apiTime } from '../../cluster/objects.ts';
import type { NodeFacts } from '../../pci/inventory.ts';
import type { Offers } from '../../policy/offers.ts';
import type { GroupView } from '../view.ts';

/** What the status is made from. */
export interface NodeReport {
  readonly agentVersion: string;
  readonly facts: NodeFacts;
  readonly views: readonly GroupView[];
  readonly offers: Offers;
  /** Names of resources that the kubelet has registered. */
  readonly registered: ReadonlySet<string>;
  readonly quarantinedRecords: number;
}

type Fact = NodeStatus['iommu'];

function word(fact: Known<boolean>): Fact {
  if (!fact.known) return 'Unknown';
  return fact.value ? 'Yes' : 'No';
}

/** The status of a node. `before`: the one that was made last; times in it are kept. */
export function nodeStatus(
  report: NodeReport,
  before: NodeStatus | null,
  nowMs: number,
): NodeStatus {
  const { facts } = report;
  const units = facts.iommuUnits;
  const iommu: Fact = units.known ? (units.value.length > 0 ? 'Yes' : 'No') : 'Unknown';
  const conditions = conditionsOf(report, iommu);
  const earlier = (before?.conditions ?? []) as readonly Condition[];
  return {
    agentVersion: report.agentVersion,
    ...(facts.kernelRelease.known ? { kernelRelease: facts.kernelRelease.value } : {}),
    iommu,
    iommuUnits: [...valueOr(units, [])],
    interruptRemapping: word(facts.interruptRemapping),
    ownershipAccounting: word(facts.ownershipAccounting),
    vfioDrivers: [...valueOr(facts.vfioDrivers, [])],
    vfioContainer: word(facts.vfioContainer),
    iommufd: word(facts.iommufd),
    resources: [...report.offers]
      .map(([resourceName, devices]) => ({
        resourceName,
        registered: report.registered.has(resourceName) ? ('Yes' as const) : ('No' as const),
        offered: devices.filter(({ healthy }) => healthy).length,
      }))
      .sort((a, b) => (a.resourceName < b.resourceName ? -1 : 1)),
    groups: countGroups(report.views),
    quarantinedRecords: report.quarantinedRecords,
    message:
      conditions.find(({ status }) => status !== 'True')?.message ?? 'everything is in place',
    conditions: setConditions(earlier, conditions, apiTime(nowMs)),
  };
}

function countGroups(views: readonly GroupView[]): NodeStatus['groups'] {
  const inPhase = (phase: GroupView['phase']): number =>
    views.filter((view) => view.phase === phase).length;
  return {
    total: views.length,
    offered: views.filter(({ healthy, resourceName }) => healthy && resourceName !== null).length,
    blocked: views.filter(({ blockers }) => blockers.length > 0).length,
    withHost: inPhase('WithHost'),
    claiming: inPhase('Claiming'),
    claimed: inPhase('Claimed'),
    assigned: inPhase('Assigned'),
    returning: inPhase('Returning'),
    faulted: inPhase('Faulted'),
  };
}

function conditionsOf(report: NodeReport, iommu: Fact): readonly ConditionNow[] {
  const { facts, offers, registered } = report;
  const suitable = suitability(facts);
  const missing = [...offers.keys()].filter((name) => !registered.has(name));
  const iommuCondition: ConditionNow =
    iommu === 'Yes'
      ? good('IommuEnabled', 'Active')
      : {
          type: 'IommuEnabled',
          status: iommu === 'No' ? 'False' : 'Unknown',
          reason: iommu === 'No' ? 'NoIommu' : 'Unreadable',
          message:
            iommu === 'No'
              ? 'no IOMMU is active: enable it in the firmware, and with intel_iommu=on where the kernel does not by itself'
              : 'it cannot be read whether an IOMMU is active',
        };
  const plugin: ConditionNow =
    missing.length === 0
      ? good('DevicePluginRegistered', 'Registered')
      : {
          type: 'DevicePluginRegistered',
          status: 'False',
          reason: 'NotRegistered',
          message: `the kubelet has not registered ${missing.join(', ')}`,
        };
  const parts = [iommuCondition, suitable, plugin];
  const wrong = parts.find(({ status }) => status !== 'True');
  const ready: ConditionNow =
    wrong === undefined ? good('Ready', 'Ready') : { ...wrong, type: 'Ready', status: 'False' };
  return [ready, ...parts];
}

function good(type: string, reason: string): ConditionNow {
  return { type, status: 'True', reason, message: '' };
}

function suitability(facts: NodeFacts): ConditionNow {
  const wrong = (reason: string, message: string): ConditionNow => ({
    type: 'KernelSuitable',
    status: 'False',
    reason,
    message,
  });
  if (!facts.ownershipAccounting.known || !facts.ownershipAccounting.value)
    return wrong(
      'NoOwnershipAccounting',
      'the kernel does not refuse mixed groups: use Linux 5.19 or newer',
    );
  const vfio = valueOr(facts.vfioDrivers, []);
  if (vfio.length === 0)
    return wrong('NoVfioDriver', 'no VFIO driver is loaded: load the module vfio-pci');
  const remapped = facts.interruptRemapping.known && facts.interruptRemapping.value;
  if (!remapped && !(facts.unsafeInterruptsAllowed.known && facts.unsafeInterruptsAllowed.value))
    return wrong('NoInterruptRemapping', 'interrupts are not remapped: enable it in the firmware');
  return good('KernelSuitable', 'Suitable');
}
