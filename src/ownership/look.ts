// A group seen closely: what inventory said, the details of every member, what uses it, who is inside.
// All decisions about a group are made from a GroupLook and nothing else.
import type { MemberDetail } from '../pci/function.ts';
import type { IommuGroup } from '../pci/group.ts';
import type { HostUse, Inside } from './use.ts';

/** One close look at one group. */
export interface GroupLook {
  readonly group: IommuGroup;
  /** One for each PCI member, in member order. */
  readonly details: readonly MemberDetail[];
  readonly uses: readonly HostUse[];
  readonly inside: Inside;
}
