// Refuses kernels on which nothing can be guarded: without ownership accounting Linux ignores a mixed group,
// or crashes on it (5.10: BUG in vfio_group_nb_add_dev), and the agent would be the only guard.
import type { Clock } from '../base/clock.ts';
import { CodedError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { createHost } from '../host/create-host.ts';
import type { KernelFs } from '../kernel/fs.ts';

/** Throws WG_KERNEL_UNSUITABLE when the kernel is known not to account for DMA ownership; unknown is left to the blockers. */
export async function requireUsableKernel(
  kernel: KernelFs,
  context: { readonly clock: Clock; readonly log: Log },
): Promise<void> {
  const facts = await createHost({ kernel, ...context }).facts();
  if (!facts.ownershipAccounting.known || facts.ownershipAccounting.value) return;
  const release = facts.kernelRelease.known ? facts.kernelRelease.value : 'unknown';
  throw new CodedError(
    'WG_KERNEL_UNSUITABLE',
    `Linux ${release} does not account for DMA ownership: /proc/kallsyms has no iommu_group_claim_dma_owner`,
  );
}
