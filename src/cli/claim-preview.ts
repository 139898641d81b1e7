// What would happen if a pod got this group now: the very steps that a claim would plan, the device files, what is
// to be kept in mind, and a policy to start from. Nothing is done.
import { valueOr } from '../base/known.ts';
import type { GroupLook } from '../ownership/look.ts';
import { claimSteps } from '../ownership/plan.ts';
import type { Access } from '../ownership/record.ts';
import type { Step } from '../ownership/step.ts';
import { recordMembers } from '../ownership/verify.ts';
import { isPciAddress } from '../pci/address.ts';
import type { NodeFacts } from '../pci/inventory.ts';
import { cautionsFor } from './render/cautions.ts';
import {
  companionsOf,
  type PolicySketch,
  policySketch,
  primaryFor,
} from './render/policy-sketch.ts';
import type { GroupReport } from './render/report.ts';

const vfioDriver = 'vfio-pci';

/** The preview, for output. */
export interface ClaimPreview {
  /** The member that a policy would ask for. */
  readonly primary: string;
  readonly vfioDriver: string;
  readonly companions: {
    readonly sameSlot: readonly string[];
    readonly otherSlots: readonly string[];
  };
  /** Writes that are still needed, in order. */
  readonly steps: readonly Step[];
  readonly access: Access;
  /** Device files that the container would get; `vfioN` of a device file is known after the bind only. */
  readonly deviceNodes: readonly string[];
  readonly cautions: readonly string[];
  readonly policy: PolicySketch | null;
}

/** The preview of a claim of `look` for who asks about `asked`; null when there is nothing to take or it is not known. */
export function previewClaim(
  node: NodeFacts,
  look: GroupLook,
  report: GroupReport,
  asked: string,
): ClaimPreview | null {
  const primary = primaryFor(report.members, asked);
  if (primary === null || !isPciAddress(primary.address)) return null;
  const members = recordMembers(look, [primary.address]);
  if (members === null) return null;
  const steps = claimSteps(
    {
      ...{ key: look.group.key, leader: primary.address, groupNumber: report.group, bootId: '' },
      ...{ phase: 'Claiming', members, resourceName: '', policyName: '', vfioDriver },
      ...{ reset: 'Preferred', nodeOwner: null, lease: null, resetDue: false, answer: null },
    },
    look,
  );
  const endpoints = report.members.filter((member) => member.role === 'endpoint');
  // The container device is always there once VFIO is loaded; device files are taken only where it is missing.
  const loaded = node.vfioDrivers.known && node.vfioDrivers.value.length > 0;
  const container = !node.vfioContainer.known || node.vfioContainer.value || !loaded;
  return {
    primary: primary.address,
    vfioDriver,
    companions: companionsOf(report.members, primary),
    steps,
    access: container ? 'Group' : 'Cdev',
    deviceNodes: container
      ? ['/dev/vfio/vfio', `/dev/vfio/${report.group}`]
      : [
          '/dev/iommu',
          ...endpoints.map((member) => `/dev/vfio/devices/${member.vfioDevice ?? 'vfioN'}`),
        ],
    cautions: cautionsFor(report.members, valueOr(node.kernelRelease, null)),
    policy: policySketch(report.members, primary),
  };
}
