import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionFixture } from './machine.ts';
import { link, type Tree } from './machine.ts';
import { broken, processTree, said, target, unknownPaths, useTests } from './using.ts';

const lookWith = useTests();
const bound: Partial<FunctionFixture> = { driver: 'vfio-pci', vfio: 'vfio3', group: 17 };
const node: Tree = { 'dev/vfio/17': '' };
const enable = `/sys/bus/pci/devices/${target}/enable`;

test('a group on VFIO that nobody has open has nobody inside', async (t) => {
  const look = await lookWith(t, node, { ...bound, enable: 0 });
  assert.deepEqual(look.inside, { kind: 'nobody' });
});

test('a count of opens is someone inside', async (t) => {
  const look = await lookWith(t, node, { ...bound, enable: 1 });
  assert.deepEqual(look.inside, { kind: 'someone', evidence: [{ path: enable, says: '1' }] });
});

test('an unbind that waits for its user has no driver any more: still someone inside', async (t) => {
  const look = await lookWith(t, node, { group: 17, driver: null, enable: 1 });
  assert.equal(look.inside.kind, 'someone');
});

for (const file of ['/dev/vfio/17', '/dev/vfio/devices/vfio3', '/dev/vfio/noiommu-17']) {
  test(`a process with ${file} open is inside, even before any device is`, async (t) => {
    const tree = { ...node, ...processTree(88, { comm: 'qemu', files: [file] }) };
    const look = await lookWith(t, tree, { ...bound, enable: 0 });
    assert.deepEqual(look.inside, {
      kind: 'someone',
      evidence: [{ path: '/proc/88/fd/3', says: `${file} by pid 88 (qemu)` }],
    });
  });
}

test("another group's file is nobody here", async (t) => {
  const tree = {
    ...node,
    ...processTree(88, { files: ['/dev/vfio/1', '/dev/vfio/devices/vfio33', '/dev/vfio/vfio'] }),
  };
  assert.equal((await lookWith(t, tree, { ...bound, enable: 0 })).inside.kind, 'nobody');
});

const blind: readonly (readonly [why: string, tree: Tree, path: string])[] = [
  ['the files of a process cannot be listed', { 'proc/88/fd': broken }, '/proc/88/fd'],
  ['/proc is that of a container', { 'proc/1/ns/pid': link('pid:[4026532777]') }, '/proc/1/ns/pid'],
  ['/proc hides pid 1', { 'proc/1/ns/pid': '' }, '/proc/1/ns/pid'],
  ['there is no /proc', { proc: broken }, '/proc/1/ns/pid'],
];

for (const [why, tree, path] of blind) {
  test(`when ${why}, a group on VFIO may have someone inside, and every use may be there`, async (t) => {
    const look = await lookWith(t, { ...node, ...tree }, { ...bound, enable: 0 });
    assert.equal(look.inside.kind, 'unknown');
    assert.ok(
      look.inside.kind === 'unknown' && look.inside.evidence.some((each) => each.path === path),
    );
    assert.ok(unknownPaths(look).includes(path));
  });
  test(`when ${why}, nobody can be inside a group that VFIO has nothing of`, async (t) => {
    const look = await lookWith(t, tree, { driver: 'e1000e', group: 17 });
    assert.deepEqual(look.inside, { kind: 'nobody' });
    assert.ok(unknownPaths(look).includes(path));
  });
}

test('a count that cannot be read may be someone', async (t) => {
  const look = await lookWith(t, { [`sys/devices/pci0000:00/${target}/enable`]: 'x\n' }, bound);
  assert.deepEqual(
    look.inside.kind === 'unknown' && look.inside.evidence.map((each) => each.path),
    [enable],
  );
});

test('processes that are gone when they are looked at are no unknown', async (t) => {
  const tree = {
    ...node,
    'proc/90': {},
    'proc/91/fd': {},
    'proc/self': link('1'),
    'proc/uptime': '',
  };
  const look = await lookWith(t, tree, { ...bound, enable: 0 });
  assert.deepEqual(look.inside, { kind: 'nobody' });
  assert.deepEqual(said(look), []);
});

test('many processes that hide their files are one unknown with a count', async (t) => {
  const tree = { 'proc/90/fd': broken, 'proc/91/fd': broken, 'proc/92/fd': broken };
  const look = await lookWith(t, tree);
  assert.equal(look.uses.length, 1);
  assert.match(look.uses[0]?.evidence.says ?? '', /^ELOOP \(and of 2 more processes\)$/);
});
