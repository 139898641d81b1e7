// The node through a KernelFs: puts the parts of this room together behind the Host interface. Keeps nothing but
// what holds for a whole boot, or until a uevent says that it may not.
import type { Clock } from '../base/clock.ts';
import { type Known, known, valueOr } from '../base/known.ts';
import type { Log } from '../base/log.ts';
import type { KernelFs } from '../kernel/fs.ts';
import { changesOfSubject } from '../pci/changes.ts';
import type { PciAddress } from '../pci/address.ts';
import type { PciFunction } from '../pci/function.ts';
import { endpoints } from '../pci/group.ts';
import { executeStep } from './execute.ts';
import { readFacts } from './facts.ts';
import { Fingerprints } from './fingerprint.ts';
import { readEnableCount } from './function-reader.ts';
import type { Host } from './host.ts';
import { Identities } from './identities.ts';
import { refreshInventory, takeInventory, takePartialInventory } from './inventory.ts';
import { lookInside } from './inside.ts';
import { lookAtGroups, type LookParts, searchUses } from './look.ts';
import { SharedSearch } from './survey/shared.ts';
import { readVfioNodes } from './vfio-nodes.ts';

/** What a host is made with. */
export interface HostOptions {
  readonly kernel: KernelFs;
  readonly clock: Clock;
  readonly log: Log;
  /** Addresses by which the cluster knows this node; its default route is found without them. */
  readonly nodeAddresses?: readonly string[];
  /** How long a step's write may take before it is told as pending: 2 s by default. */
  readonly stepDeadlineMs?: number;
}

const defaultStepDeadlineMs = 2000;

/** The node behind `kernel`. */
export function createHost(options: HostOptions): Host {
  const { kernel, clock, log } = options;
  const stepDeadlineMs = options.stepDeadlineMs ?? defaultStepDeadlineMs;
  // Found once per boot: on old kernels it means a search through the whole symbol table.
  let accounting: { readonly bootId: string; readonly fact: Known<boolean> } | null = null;
  const surveyParts = { kernel, clock, nodeAddresses: options.nodeAddresses ?? [] };
  const uses = new SharedSearch(surveyParts, searchUses);
  const insiders = new SharedSearch(surveyParts, async (survey) => {
    // Walked once, for all groups that are asked about.
    await survey.processes();
    return survey;
  });
  const fingerprints = new Fingerprints(kernel, clock);
  const partsOf = (skipLocked: ReadonlySet<PciAddress> = new Set()): LookParts => ({
    kernel,
    uses,
    skipLocked,
  });
  return {
    facts: async () => {
      const facts = await readFacts(kernel, accounting?.fact ?? null);
      const bootId = valueOr(facts.bootId, '');
      if (accounting !== null && accounting.bootId !== bootId) {
        // Another kernel answers now (the model was restarted under a running agent).
        accounting = null;
        return readFacts(kernel, null);
      }
      if (facts.ownershipAccounting.known && bootId !== '') {
        accounting = { bootId, fact: facts.ownershipAccounting };
      }
      return facts;
    },
    inventory: inventories(kernel, clock, fingerprints),
    look: (inventory, groups, lookOptions) =>
      lookAtGroups(partsOf(lookOptions?.skipLocked), inventory, groups),
    lookAt: async (members, lookOptions) => {
      const inventory = await takePartialInventory(kernel, clock, members);
      const keys = inventory.groups.map((group) => group.key);
      return lookAtGroups(partsOf(lookOptions?.skipLocked), inventory, keys);
    },
    inside: async (members) => {
      const { groups } = await takePartialInventory(kernel, clock, members);
      const survey = await insiders.search(groups.flatMap(endpoints));
      for (const group of groups) {
        const inside = await lookInside(survey, group);
        if (inside.kind !== 'nobody') return inside;
      }
      return { kind: 'nobody' };
    },
    isOpen: async (address) => {
      const count = await readEnableCount(kernel, address);
      return count.known ? known(count.value > 0) : count;
    },
    fingerprint: () => fingerprints.take(),
    execute: async (step) => {
      const outcome = await executeStep(kernel, step, stepDeadlineMs);
      if (outcome.kind === 'failed') {
        log.debug('step-failed', { step: step.kind, address: step.address, errno: outcome.errno });
      }
      return outcome;
    },
    vfioNodes: (groupNumber, members) => readVfioNodes(kernel, groupNumber, members),
    changes: (listener) => kernel.changes((hint) => listener(changesOfSubject(hint.subject))),
  };
}

function inventories(
  kernel: KernelFs,
  clock: Clock,
  fingerprints: Fingerprints,
): Host['inventory'] {
  const identities = new Identities();
  return async (known) => {
    // Where nothing is read again it is not asked for: what is read anew then is read again in the next round.
    const number = known?.again.length === 0 ? null : await fingerprints.eventNumber();
    const isSame = (fn: PciFunction): boolean => identities.isSame(fn, number);
    const inventory = await (known === undefined
      ? takeInventory(kernel, clock)
      : refreshInventory(kernel, clock, known, isSame));
    identities.note(inventory, number);
    return inventory;
  };
}
