import assert from 'node:assert/strict';
import { test } from 'node:test';
import { known, unknown } from '../../src/base/known.ts';
import { blocker, judge, type Judgement, subjectOf } from '../../src/ownership/blockers.ts';
import { blockerCatalogue, blockerKinds } from '../../src/ownership/catalogue.ts';
import type { Consent } from '../../src/ownership/consent.ts';
import { type HostUseKind, hostUseKinds } from '../../src/ownership/use.ts';
import type { PciAddress } from '../../src/pci/address.ts';
import { address, detail, fn, goodNode, group, look } from '../support/groups.ts';

const a = fn('0000:04:00.0', { driver: 'e1000e' });
const b = fn('0000:04:00.1', { driver: 'e1000e' });

const consent: Consent = {
  primaries: [a.address],
  companions: 'Any',
  permits: () => true,
  waive: [],
  vfioDriver: 'vfio-pci',
  access: 'Auto',
  reset: 'Preferred',
};

function kinds(change: Partial<Judgement>): string[] {
  const judgement: Judgement = {
    look: look(group([a, b])),
    node: goodNode,
    consent,
    pending: new Map(),
    cordoned: null,
    ...change,
  };
  return judge(judgement).map((blocker) => blocker.kind);
}

test('a quiet group on a good machine is releasable', () => {
  assert.deepEqual(kinds({}), []);
});

test('each fact of the machine that forbids passthrough is a blocker', () => {
  const rows = [
    [{ iommuUnits: known([]) }, 'IommuAbsent'],
    [{ ownershipAccounting: known(false) }, 'OwnershipAccountingAbsent'],
    [{ interruptRemapping: known(false) }, 'InterruptRemappingOff'],
    [{ vfioDrivers: known([]) }, 'VfioDriverNotLoaded'],
    [{ vfioContainer: known(false) }, 'VfioAccessUnavailable'],
  ] as const;
  for (const [change, kind] of rows) {
    assert.deepEqual(kinds({ node: { ...goodNode, ...change } }), [kind]);
  }
});

test('every fact of the machine that cannot be read is a blocker too (R7)', () => {
  const facts = [
    'iommuUnits',
    'interruptRemapping',
    'ownershipAccounting',
    'vfioDrivers',
    'vfioContainer',
  ] as const;
  for (const fact of facts) {
    const node = { ...goodNode, [fact]: unknown(`/x/${fact}`, 'EIO') };
    assert.deepEqual(kinds({ node }), ['UnknownFact'], fact);
  }
});

test('unsafe interrupts that the administrator allowed are not second-guessed', () => {
  const node = {
    ...goodNode,
    interruptRemapping: known(false),
    unsafeInterruptsAllowed: known(true),
  };
  assert.deepEqual(kinds({ node }), []);
});

test('groups that VFIO would refuse later are refused now', () => {
  const rmrr = {
    ...group([a, b]),
    reservedRegions: known([{ startHex: '0x0', endHex: '0xfff', type: 'direct' }]),
  };
  assert.deepEqual(kinds({ look: look(rmrr) }), ['FirmwareMappedRegion']);
  const relaxed = {
    ...rmrr,
    reservedRegions: known([{ startHex: '0x0', endHex: '0xfff', type: 'direct-relaxable' }]),
  };
  assert.deepEqual(kinds({ look: look(relaxed) }), []);
  assert.deepEqual(kinds({ look: look(group([a, b], { name: 'vfio-noiommu' })) }), [
    'NoiommuGroup',
  ]);
});

test('a member on another bus can never be released', () => {
  const other = {
    kind: 'other',
    name: 'MSFT0201:00',
    bus: known('platform'),
    driver: known(null),
  } as const;
  assert.deepEqual(kinds({ look: look(group([a, b], { others: [other] })) }), ['NonPciMember']);
});

test('a bridge with a driver of its own blocks, one with pcieport or none does not', () => {
  const bridge = (driver: string | null) => fn('0000:00:08.0', { driver, classCode: '060400' });
  assert.deepEqual(kinds({ look: look(group([bridge('shpchp'), a])) }), ['BridgeHeld']);
  assert.deepEqual(kinds({ look: look(group([bridge('pcieport'), a])) }), []);
  assert.deepEqual(kinds({ look: look(group([bridge(null), a])) }), []);
  assert.deepEqual(kinds({ look: look(group([bridge('pcieport')])) }), ['NoEndpoint']);
});

test('a companion outside the consent blocks and is named', () => {
  const only = { ...consent, companions: 'SameSlot', permits: (at: string) => at === a.address };
  const found = judge({
    look: look(group([a, b])),
    node: goodNode,
    consent: only,
    pending: new Map(),
    cordoned: null,
  });
  assert.equal(found.length, 1);
  assert.equal(found[0]?.kind, 'CompanionNotPermitted');
  assert.match(found[0]?.message ?? '', /^0000:04:00\.1 /);
});

test('uses block, and a policy waives one kind at a time, by name', () => {
  const use = (kind: 'NetworkInterfaceUp' | 'FilesystemMounted' | 'RootDisk') =>
    ({ kind, address: a.address, subject: 'eth0', evidence: { path: '/p', says: 'up' } }) as const;
  const seen = look(group([a, b]), {
    uses: [use('NetworkInterfaceUp'), use('FilesystemMounted'), use('RootDisk')],
  });
  const waive = (...names: ('NetworkInterfaceUp' | 'RootDisk')[]) => ({ ...consent, waive: names });
  assert.deepEqual(kinds({ look: seen }), ['RootDisk', 'NetworkInterfaceUp', 'FilesystemMounted']);
  assert.deepEqual(kinds({ look: seen, consent: waive('NetworkInterfaceUp') }), [
    'RootDisk',
    'FilesystemMounted',
  ]);
  assert.ok(
    kinds({ look: seen, consent: waive('RootDisk') }).includes('RootDisk'),
    'never waivable',
  );
});

test('uses come worst first: what nobody can waive, what is not known, the rest; else as they were found', () => {
  const use = (kind: HostUseKind, at: PciAddress) =>
    ({ kind, address: at, subject: 'x', evidence: { path: '/p', says: 'x' } }) as const;
  const uses = [
    ...[use('NetworkInterfaceUp', a.address), use('UnknownUse', a.address)],
    ...[use('NetworkDefaultRoute', a.address), use('SoundInUse', b.address)],
    ...[use('RootDisk', b.address), use('FilesystemMounted', b.address)],
  ];
  assert.deepEqual(kinds({ look: look(group([a, b]), { uses }) }), [
    ...['NetworkDefaultRoute', 'RootDisk', 'UnknownUse'],
    ...['NetworkInterfaceUp', 'SoundInUse', 'FilesystemMounted'],
  ]);
});

test('a missing VFIO driver is told once, not a second time by the node that it brings', () => {
  const node = { ...goodNode, vfioDrivers: known([]), vfioContainer: known(false) };
  assert.deepEqual(kinds({ node }), ['VfioDriverNotLoaded']);
});

test('the subject of a blocker can be told from its message, for every kind', () => {
  for (const kind of blockerKinds) {
    const made = blocker(kind, '0000:04:00.0', 'nvme0n1p2 on / (ext4)', { path: '/p', says: 'x' });
    assert.equal(subjectOf(made), 'nvme0n1p2 on / (ext4)', kind);
  }
});

test('somebody inside blocks, and so does not knowing', () => {
  const evidence = [{ path: '/sys/x/enable', says: '1' }];
  assert.deepEqual(
    kinds({ look: look(group([a, b]), { inside: { kind: 'someone', evidence } }) }),
    ['ForeignVfioUser'],
  );
  assert.deepEqual(
    kinds({ look: look(group([a, b]), { inside: { kind: 'unknown', evidence } }) }),
    ['UnknownUse'],
  );
});

test('a dead device, a driver that holds on, a missing reset and a hung release block', () => {
  const details = (change: object) => [{ ...detail(a.address), ...change }, detail(b.address)];
  const seen = (change: object) => look(group([a, b]), { details: details(change) });
  assert.deepEqual(kinds({ look: seen({ accessible: known(false) }) }), ['DeviceInaccessible']);
  assert.deepEqual(kinds({ look: seen({ unbindForbidden: known(true) }) }), [
    'DriverNotReleasable',
  ]);
  assert.deepEqual(kinds({ look: seen({ resetMethods: known([]) }) }), []);
  const strict: Consent = { ...consent, reset: 'Required' };
  assert.deepEqual(kinds({ look: seen({ resetMethods: known([]) }), consent: strict }), [
    'ResetUnavailable',
  ]);
  assert.deepEqual(kinds({ look: seen({ leavingDriver: known('vfio-pci') }) }), ['ReleasePending']);
  assert.deepEqual(kinds({ pending: new Map([[address('0000:04:00.0'), 'unbind']]) }), [
    'ReleasePending',
  ]);
});

test('a cordon blocks with its reason', () => {
  const [blocker] = judge({
    look: look(group([a])),
    node: goodNode,
    consent,
    pending: new Map(),
    cordoned: 'RMA',
  });
  assert.equal(blocker?.kind, 'Cordoned');
  assert.match(blocker?.message ?? '', /RMA/);
});

test('every kind of use has an entry with a sentence and a remedy, and unknown is never waivable', () => {
  for (const kind of hostUseKinds) assert.ok(blockerKinds.includes(kind), kind);
  for (const kind of blockerKinds) {
    const entry = blockerCatalogue[kind];
    assert.match(entry.says, /\{\}/, `${kind} names its subject`);
    assert.match(entry.remedy, /\.$/, `${kind} has a remedy that is a sentence`);
  }
  for (const kind of [
    'RootDisk',
    'NetworkDefaultRoute',
    'NodeAddress',
    'SystemConsole',
    'BootDisplay',
    'UnknownUse',
    'UnknownFact',
  ] as const) {
    assert.equal(blockerCatalogue[kind].waivable, false, kind);
  }
});
