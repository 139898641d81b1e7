// Who owns a group, told from what can be observed (the kernel exports neither owner nor owner count).
import type { IommuGroup } from '../pci/group.ts';
import { stanceOf } from './neutral.ts';
import type { Inside } from './use.ts';

/**
 * Kernel: a kernel holder, nothing on VFIO. None: all neutral, nobody inside. Userspace: a user is inside.
 * Mixed: a kernel holder beside a member bound to VFIO, which no user can open as a group.
 */
export type Owner = 'Kernel' | 'None' | 'Userspace' | 'Mixed';

/** Every owner there is, in the order of tables. */
export const owners = ['Kernel', 'None', 'Userspace', 'Mixed'] as const;

/**
 * The observed owner. What is unknown counts as in use: a member whose driver cannot be read is a kernel
 * holder, and VFIO members of which nobody can tell whether they are open have a user inside.
 */
export function ownerOf(group: IommuGroup, inside: Inside): Owner {
  let kernel = false;
  let vfio = false;
  for (const member of group.members) {
    if (member.kind === 'other') {
      kernel ||= !member.driver.known || member.driver.value !== null;
      continue;
    }
    const stance = stanceOf(member.fn);
    kernel ||= stance === 'Kernel' || stance === 'Unknown';
    vfio ||= stance === 'Vfio';
  }
  if (kernel) return vfio ? 'Mixed' : 'Kernel';
  if (inside.kind === 'someone') return 'Userspace';
  if (inside.kind === 'unknown' && vfio) return 'Userspace';
  return 'None';
}
