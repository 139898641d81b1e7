import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unknown } from '../../src/base/known.ts';
import { stanceOf } from '../../src/ownership/neutral.ts';
import { ownerOf } from '../../src/ownership/owner.ts';
import type { Inside } from '../../src/ownership/use.ts';
import { fn, group } from '../support/groups.ts';

const nobody: Inside = { kind: 'nobody' };
const someone: Inside = { kind: 'someone', evidence: [{ path: 'enable', says: '1' }] };
const hidden: Inside = { kind: 'unknown', evidence: [{ path: '/proc', says: 'EACCES' }] };

const native = fn('0000:00:05.0', { driver: 'e1000' });
const vfio = fn('0000:00:05.1', { driver: 'vfio-pci' });
const bare = fn('0000:00:05.2');
const stub = fn('0000:00:05.3', { driver: 'pci-stub' });
const port = fn('0000:00:07.0', { driver: 'pcieport', classCode: '060400' });
const shpchp = fn('0000:00:08.0', { driver: 'shpchp', classCode: '060400' });
const unreadable = { ...native, driver: unknown('/sys/x/driver', 'EIO') };

test('owners of groups by what is bound and who is inside', () => {
  const rows = [
    [[native], nobody, 'Kernel'],
    [[native, bare], nobody, 'Kernel'],
    [[bare], nobody, 'None'],
    [[stub, bare], nobody, 'None'],
    [[vfio, bare], nobody, 'None'],
    [[vfio, port], nobody, 'None'],
    [[vfio, shpchp], nobody, 'Mixed'],
    [[vfio, native], nobody, 'Mixed'],
    [[vfio, native], someone, 'Mixed'],
    [[vfio], someone, 'Userspace'],
    [[vfio], hidden, 'Userspace'],
    [[bare], hidden, 'None'],
    [[unreadable], nobody, 'Kernel'],
    [[unreadable, vfio], nobody, 'Mixed'],
  ] as const;
  for (const [members, inside, owner] of rows) {
    assert.equal(
      ownerOf(group(members), inside),
      owner,
      `${members.map((m) => m.address).join(' ')} ${inside.kind}`,
    );
  }
});

test('drivers that look harmless hold the group for the kernel', () => {
  for (const driver of [
    'shpchp',
    'uio_pci_generic',
    'igb_uio',
    'pciback',
    'nvidia',
    'pci-pf-stub',
  ]) {
    assert.equal(stanceOf(fn('0000:00:05.0', { driver })), 'Kernel', driver);
  }
  assert.equal(
    stanceOf(fn('0000:00:05.0', { driver: 'pcieport' })),
    'Kernel',
    'pcieport on an endpoint',
  );
});

test('any driver with a VFIO device is a VFIO driver, whatever its name', () => {
  assert.equal(stanceOf(fn('0000:00:05.0', { driver: 'acme_vfio', vfio: 'vfio3' })), 'Vfio');
});

test('a member on another bus with a driver holds the group for the kernel', () => {
  const tpm = {
    kind: 'other',
    name: 'MSFT0201:00',
    bus: { known: true, value: 'platform' },
    driver: { known: true, value: 'tpm_crb' },
  } as const;
  assert.equal(ownerOf(group([vfio], { others: [tpm] }), nobody), 'Mixed');
});
