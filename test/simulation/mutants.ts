// Agents that are broken on purpose, one for each line of the rule: the checker must notice every one of them.
import { known } from '../../src/base/known.ts';
import type { Host } from '../../src/host/host.ts';
import type { KernelFs, Outcome } from '../../src/kernel/fs.ts';
import type { HolderSource } from '../../src/kubelet/pods.ts';
import type { GroupLook } from '../../src/ownership/look.ts';
import type { GroupRecord } from '../../src/ownership/record.ts';
import { isBridge } from '../../src/pci/function.ts';
import type { GroupMember } from '../../src/pci/group.ts';
import type { RecordStore } from '../../src/record/store.ts';
import type { Rule } from './checker.ts';
import type { Mutation } from './world.ts';

/** A host whose looks are changed before the agent sees them. */
function seeing(change: (look: GroupLook) => GroupLook): (host: Host) => Host {
  return (host) => ({
    ...bound(host),
    look: async (...args) => (await host.look(...args)).map(change),
    lookAt: async (...args) => (await host.lookAt(...args)).map(change),
  });
}

function bound(host: Host): Host {
  return {
    facts: () => host.facts(),
    inventory: () => host.inventory(),
    look: (...args) => host.look(...args),
    lookAt: (...args) => host.lookAt(...args),
    inside: (members) => host.inside(members),
    isOpen: (address) => host.isOpen(address),
    fingerprint: () => host.fingerprint(),
    execute: (step) => host.execute(step),
    vfioNodes: (...args) => host.vfioNodes(...args),
    changes: (listener) => host.changes(listener),
  };
}

const nobodyInside = (host: Host): Host => ({
  ...seeing((look) => ({ ...look, inside: { kind: 'nobody' } }))(host),
  inside: async () => ({ kind: 'nobody' }),
  isOpen: async () => known(false),
});

/** A kubelet that is always long up and never names a holder. */
const forgetsHolders = (holders: HolderSource): HolderSource => ({
  list: async (options) => {
    const answer = await holders.list(options);
    return answer.kind === 'holders' ? { ...answer, holders: [], kubeletUpMs: 60_000 } : answer;
  },
});

/** A kubelet that is away is taken for one that has no pods. */
const awayMeansGone =
  (nowMs: () => number) =>
  (holders: HolderSource): HolderSource => ({
    list: async (options) => {
      const answer = await holders.list(options);
      if (answer.kind === 'holders') return answer;
      return {
        kind: 'holders',
        holders: [],
        askedAtMs: nowMs(),
        kubeletIncarnation: 'away',
        kubeletUpMs: 60_000,
      };
    },
  });

/** Believes a group to be taken as soon as one member is, and leaves functions other than .0 alone: the companions. */
function takesOnlyPrimaries(host: Host): Host {
  const pretend = (look: GroupLook): GroupLook => {
    const { members } = look.group;
    if (!members.some(onVfio)) return look;
    return { ...look, group: { ...look.group, members: members.map(pretendTaken) } };
  };
  return {
    ...seeing(pretend)(host),
    execute: (step) =>
      step.address.endsWith('.0') ? host.execute(step) : Promise.resolve({ kind: 'done' }),
  };
}

function onVfio(member: GroupMember): boolean {
  return member.kind === 'pci' && member.fn.vfioDevice.known && member.fn.vfioDevice.value !== null;
}

function pretendTaken(member: GroupMember): GroupMember {
  if (member.kind === 'other' || isBridge(member.fn)) return member;
  return {
    kind: 'pci',
    fn: { ...member.fn, driver: known('vfio-pci'), vfioDevice: known('vfio0') },
  };
}

/** Remembers, but does not write. */
function forgetful(records: RecordStore): RecordStore {
  return {
    load: () => records.load(),
    save: async () => undefined,
    remove: async () => undefined,
  };
}

/** Writes down that there was no driver. */
function withoutDrivers(records: RecordStore): RecordStore {
  const blank = (record: GroupRecord): GroupRecord => ({
    ...record,
    members: record.members.map((member) => ({ ...member, originalDriver: null })),
  });
  return {
    load: async () => {
      const loaded = await records.load();
      return { ...loaded, records: loaded.records.map(blank) };
    },
    save: (record) => records.save(blank(record)),
    remove: (leader) => records.remove(leader),
  };
}

/** Waits for the kernel, however long. */
function patient(kernel: KernelFs): KernelFs {
  const wait = async <T>(call: Promise<Outcome<T>>): Promise<Outcome<T>> => {
    const outcome = await call;
    return outcome.kind === 'pending' ? outcome.settles : outcome;
  };
  return {
    read: (path, options) => wait(kernel.read(path, options)),
    list: (path, options) => wait(kernel.list(path, options)),
    readLink: (path, options) => wait(kernel.readLink(path, options)),
    readLinks: (path, options) => wait(kernel.readLinks(path, options)),
    exists: (path, options) => wait(kernel.exists(path, options)),
    write: (path, data, options) => wait(kernel.write(path, data, options)),
    changes: (listener) => kernel.changes(listener),
  };
}

/** For each line of the rule an agent that breaks it. `nowMs`: the world's clock. */
export function mutants(nowMs: () => number): Readonly<Record<Rule, Mutation>> {
  return {
    R1: { host: seeing((look) => ({ ...look, uses: [] })) },
    R2: { host: nobodyInside, holders: forgetsHolders },
    R3: { host: takesOnlyPrimaries },
    R4: { host: nobodyInside, holders: forgetsHolders },
    R5: { records: withoutDrivers },
    R6: { records: forgetful },
    R7: {
      host: seeing((look) => ({
        ...look,
        uses: look.uses.filter((use) => use.kind !== 'UnknownUse'),
        group: look.group,
        details: look.details.map((detail) => ({
          ...detail,
          driverOverride: detail.driverOverride.known ? detail.driverOverride : known(null),
          accessible: detail.accessible.known ? detail.accessible : known(true),
        })),
      })),
    },
    R8: { kernel: patient },
    R9: { host: nobodyInside, holders: awayMeansGone(nowMs) },
  };
}
