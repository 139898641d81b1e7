// What explain says of one device, and how the device may be named.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { assertGolden } from './golden.ts';
import { runCommand } from './run-command.ts';

const dump = (name: string): string => join(import.meta.dirname, `../data/topologies/${name}.json`);
const guest = dump('guest-sysfs');
const assigned = dump('guest-sysfs-assigned');

/** Golden name, machine, address, exit status. */
const cases: readonly (readonly [name: string, kernel: string, address: string, status: number])[] =
  [
    ['boot-display', guest, '0000:00:02.0', 1],
    ['only-the-machine', guest, '0000:03:00.0', 1],
    ['bridge', guest, '0000:00:03.0', 1],
    ['other-slots', assigned, '0000:06:02.0', 0],
    ['mixed', assigned, '0000:04:00.0', 0],
    ['taken-vf', assigned, '0000:07:10.0', 0],
    ['pf-with-vfs', assigned, '0000:07:00.0', 1],
    ['gpu-audio', 'gpu-workstation', '0000:01:00.1', 0],
    ['desktop-gpu', 'gpu-workstation', '0000:10:00.0', 1],
    ['root-disk', 'nvme-lvm', '0000:41:00.0', 1],
    ['pod-mount', 'nvme-lvm', '0000:44:00.0', 1],
    ['free-disk', 'nvme-lvm', '0000:45:00.0', 0],
    ['default-route', 'sriov-nic-server', '0000:01:00.0', 1],
    ['lent-vf', 'sriov-nic-server', '0000:17:01.6', 1],
    ['no-acs', 'no-acs', '0000:03:00.0', 1],
    ['no-remapping', 'no-interrupt-remapping', '0000:02:00.0', 1],
    ['no-iommu', 'no-iommu', '0000:02:00.0', 2],
  ];

for (const [name, kernel, address, status] of cases) {
  test(`explain ${name} (${address}) is the reviewed one`, async () => {
    const run = await runCommand(['explain', address, '--kernel', kernel]);
    assert.deepEqual([run.status, run.err], [status, '']);
    assertGolden(`explain-${name}.txt`, run.out);
  });
}

test('the explanation of the boot display names display, console, companion, evidence and remedies', async () => {
  const { out } = await runCommand(['explain', '0000:00:02.0', '--kernel', guest]);
  for (const part of [
    /BootDisplay: 0000:00:02\.0 is the boot display/,
    /FramebufferConsole: 0000:00:02\.0 shows the system console \(fb0\)/,
    /0000:00:02\.1 {2}8086:2668 {2}Audio device {4}driver snd_hda_intel/,
    /0000:00:02\.1 comes along with 0000:00:02\.0: the same slot/,
    /evidence {2}\/sys\/bus\/pci\/devices\/0000:00:02\.0\/boot_vga says "1"/,
    /remedy {4}Never released\. Choose another primary display/,
    /No policy can pass over this/,
  ]) {
    assert.match(out, part);
  }
});

test('explain -o json and yaml have the group, the reasons and what a claim would do', async () => {
  const args = ['explain', '0000:01:00.0', '--kernel', 'gpu-workstation'];
  const json = await runCommand([...args, '-o', 'json']);
  const told = JSON.parse(json.out) as Record<string, unknown>;
  assert.deepEqual(parse((await runCommand([...args, '-o', 'yaml'])).out), told);
  assert.equal(told['address'], '0000:01:00.0');
  assert.equal(told['group'], 10);
  assert.equal(told['releasable'], true);
  const claim = told['claim'] as Record<string, unknown>;
  assert.deepEqual(claim['deviceNodes'], ['/dev/vfio/vfio', '/dev/vfio/10']);
  assert.equal((claim['steps'] as unknown[]).length, 12);
  const blocked = await runCommand([
    'explain',
    '10:00.0',
    '--kernel',
    'gpu-workstation',
    '-o',
    'json',
  ]);
  assert.equal((JSON.parse(blocked.out) as Record<string, unknown>)['claim'], null);
});

test('an address may be short or in upper case where that is certain', async () => {
  const full = await runCommand(['explain', '0000:0a:00.0', '--kernel', guest]);
  for (const address of ['0a:00.0', '0000:0A:00.0', '0A:00.0']) {
    assert.deepEqual(await runCommand(['explain', address, '--kernel', guest]), full, address);
  }
});

/** What is typed → the message, on the guest dump. */
const refused: readonly (readonly [typed: string, message: RegExp])[] = [
  [
    '17',
    /looks like a group's number.*\(group 17 has 0000:04:00\.0, 0000:04:00\.1 now\).*dddd:bb:dd\.f/,
  ],
  ['4711', /looks like a group's number, which changes from boot to boot.*dddd:bb:dd\.f/],
  ['04:00', /"04:00" is a slot; name one of its functions: 0000:04:00\.0, 0000:04:00\.1/],
  ['0000:04:00', /is a slot; name one of its functions: 0000:04:00\.0, 0000:04:00\.1/],
  ['eth0', /"eth0" is not a PCI address; the form is dddd:bb:dd\.f, for example 0000:65:00\.0/],
  ['0000:04:00.8', /"0000:04:00\.8" is not a PCI address/],
  ['0000:04:20.0', /"0000:04:20\.0" is not a PCI address/],
  ['', /"" is not a PCI address/],
];

for (const [typed, message] of refused) {
  test(`explain "${typed}" is refused with the allowed form`, async () => {
    const run = await runCommand(['explain', typed, '--kernel', guest]);
    assert.equal(run.status, 64);
    assert.equal(run.out, '');
    assert.match(run.err, /^error WG_FLAG_INVALID: address: /);
    assert.match(run.err, message);
  });
}

test('a free disk that is not empty can be released, with a warning of what it holds', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'disk.yaml');
  const block =
    '[{name: nvme0n1, partitions: [{name: nvme0n1p1, contents: ext4}, {name: nvme0n1p2}]}]';
  const disk = `{id: 144d:a80a, class: 010802, driver: nvme, nvme: nvme0, block: ${block}}`;
  writeFileSync(file, `topology: 1\ndevices:\n  0000:00:02.0: ${disk}\n`);
  const run = await runCommand(['explain', '00:02.0', '--kernel', file]);
  assert.equal(run.status, 0);
  assert.match(
    run.out,
    /0000:00:02\.0: nvme0n1 is not in use but not empty \(2 partitions, ext4 on nvme0n1p1\)/,
  );
});

test('a short address that two domains have is refused with both', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wholegroup-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'two-domains.yaml');
  const nic = '{id: 8086:100e, class: 020000}';
  writeFileSync(file, `topology: 1\ndevices:\n  0000:00:02.0: ${nic}\n  10000:00:02.0: ${nic}\n`);
  const run = await runCommand(['explain', '00:02.0', '--kernel', file]);
  assert.equal(run.status, 64);
  assert.match(
    run.err,
    /"00:02\.0" is there in several domains: say which, 0000:00:02\.0 or 10000:00:02\.0/,
  );
  assert.notEqual((await runCommand(['explain', '10000:00:02.0', '--kernel', file])).status, 64);
});

for (const address of ['0000:ff:00.0', 'ff:00.0', 'ff:00']) {
  test(`explain ${address}, which is not there, says so and has a status of its own`, async () => {
    const run = await runCommand(['explain', address, '--kernel', guest]);
    assert.equal(run.status, 3);
    assert.match(
      run.err,
      /there is no PCI function .* on this machine; "wholegroup inspect" lists/,
    );
  });
}
