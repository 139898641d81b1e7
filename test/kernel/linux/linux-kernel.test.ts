import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../../../src/base/log.ts';
import type { Outcome } from '../../../src/kernel/fs.ts';
import { LinuxKernel } from '../../../src/kernel/linux/linux-kernel.ts';
import { machine, text, value } from './machine.ts';
import { link, realClock, scratchFolder, writeTree } from './support.ts';

test('files, folders and links are read the same in process and in a lane', async (t) => {
  const { kernel, roots } = machine(t);
  writeTree(roots.sysfs, {
    'bus/pci/devices/0000:00:01.0': {
      vendor: '0x8086\n',
      driver_override: '(null)\n',
      driver: link('../drivers/x'),
    },
  });
  writeTree(roots.proc, { '7': { mountinfo: 'a\n', fd: { '3': link('/dev/sda') } } });
  const device = '/sys/bus/pci/devices/0000:00:01.0';
  assert.equal(text(value(await kernel.read(`${device}/vendor`))), '0x8086\n');
  assert.equal(text(value(await kernel.read(`${device}/driver_override`))), '(null)\n');
  assert.deepEqual([...value(await kernel.list(device))].sort(), [
    'driver',
    'driver_override',
    'vendor',
  ]);
  assert.equal(value(await kernel.readLink(`${device}/driver`)), '../drivers/x');
  assert.equal(value(await kernel.readLink('/proc/7/fd/3')), '/dev/sda');
  assert.equal(value(await kernel.exists('/proc/7/mountinfo')), true);
  assert.equal(value(await kernel.exists('/proc/8/mountinfo')), false);
  assert.equal(value(await kernel.exists('/dev/vfio/vfio')), false);
});

test('errnos of the kernel are data, from a lane as in process', async (t) => {
  const { kernel, roots } = machine(t);
  writeTree(roots.sysfs, { 'kernel/x': { file: 'text' } });
  const errno = async (call: Promise<Outcome<unknown>>): Promise<string> => {
    const outcome = await call;
    return outcome.kind === 'errno' ? outcome.errno : outcome.kind;
  };
  assert.equal(await errno(kernel.read('/sys/bus/pci/devices/0000:00:01.0/vendor')), 'ENOENT');
  assert.equal(await errno(kernel.read('/sys/kernel/x/none')), 'ENOENT');
  assert.equal(await errno(kernel.read('/sys/kernel/x')), 'EISDIR');
  assert.equal(await errno(kernel.list('/sys/kernel/x/file')), 'ENOTDIR');
  assert.equal(await errno(kernel.readLink('/sys/kernel/x/file')), 'EINVAL');
  assert.equal(await errno(kernel.write('/sys/kernel/x/none', '1')), 'ENOENT');
  assert.equal(await errno(kernel.write('/sys/kernel/x', '1')), 'EISDIR');
  assert.equal(await errno(kernel.read('/sys/kernel/x/a\0b')), 'EINVAL');
});

test('bytes that are not UTF-8 pass through unchanged', async (t) => {
  const { kernel, roots } = machine(t);
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  writeTree(roots.sysfs, { 'kernel/raw': bytes });
  assert.deepEqual([...value(await kernel.read('/sys/kernel/raw'))], [...bytes]);
});

test('a file of one MiB is read whole, a longer one is EFBIG', async (t) => {
  const { kernel, roots } = machine(t);
  const limit = 1 << 20;
  writeTree(roots.sysfs, {
    'kernel/full': Buffer.alloc(limit, 'x'),
    'kernel/over': Buffer.alloc(limit + 1, 'x'),
  });
  writeTree(roots.run, {
    'udev/data/full': Buffer.alloc(limit, 'x'),
    'udev/data/over': Buffer.alloc(limit + 1, 'x'),
  });
  for (const folder of ['/sys/kernel', '/run/udev/data']) {
    assert.equal(value(await kernel.read(`${folder}/full`)).length, limit);
    assert.deepEqual(await kernel.read(`${folder}/over`), { kind: 'errno', errno: 'EFBIG' });
  }
});

test('of a longer file the first bytes, or the lines with a text, can be read', async (t) => {
  const { kernel, roots } = machine(t);
  const lines = Array.from({ length: 200_000 }, (_, at) => `ffffffff${at} T symbol_${at}\n`).join(
    '',
  );
  writeTree(roots.proc, {
    kallsyms: `${lines}0 T iommu_group_claim_dma_owner\t[x]\n${lines}last 0`,
  });
  const found = await kernel.read('/proc/kallsyms', { linesWith: 'iommu_group_claim_dma_owner' });
  assert.equal(text(value(found)), '0 T iommu_group_claim_dma_owner\t[x]\n');
  assert.equal(text(value(await kernel.read('/proc/kallsyms', { linesWith: 'last' }))), 'last 0');
  assert.equal(text(value(await kernel.read('/proc/kallsyms', { linesWith: 'nowhere' }))), '');
  assert.equal(text(value(await kernel.read('/proc/kallsyms', { firstBytes: 9 }))), 'ffffffff0');
});

test('a write is exactly the given bytes, and the number taken comes back', async (t) => {
  const { kernel, roots } = machine(t);
  writeTree(roots.sysfs, { 'bus/pci/drivers_probe': '', 'kernel/longer': 'old text' });
  assert.equal(value(await kernel.write('/sys/bus/pci/drivers_probe', '0000:00:01.0\n')), 13);
  assert.equal(readFileSync(join(roots.sysfs, 'bus/pci/drivers_probe'), 'utf8'), '0000:00:01.0\n');
  // Neither truncated nor created: an attribute is not a file.
  assert.equal(value(await kernel.write('/sys/kernel/longer', 'new')), 3);
  assert.equal(readFileSync(join(roots.sysfs, 'kernel/longer'), 'utf8'), 'new text');
});

test('a zero-length write and a path outside the machine are bugs, not calls', async (t) => {
  const { kernel } = machine(t);
  assert.throws(() => kernel.write('/sys/bus/pci/drivers_probe', ''), /zero-length write/);
  assert.throws(() => kernel.read('/etc/passwd'), /not below/);
  assert.throws(() => kernel.read('/sys/../etc/passwd'), /not canonical/);
  assert.throws(() => kernel.read('/system'), /not below/);
});

test('a kernel without a shared pool makes and ends its own', async (t) => {
  const sysfs = scratchFolder(t);
  writeTree(sysfs, { kernel: { fine: 'fine' } });
  const kernel = new LinuxKernel({
    clock: realClock,
    log: silentLog,
    roots: { sysfs: `${sysfs}/` },
    udevadm: null,
  });
  assert.equal(text(value(await kernel.read('/sys/kernel/fine'))), 'fine');
  kernel.close();
  assert.deepEqual(await kernel.read('/sys/kernel/fine'), { kind: 'errno', errno: 'ECANCELED' });
});
