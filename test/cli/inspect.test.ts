// What inspect prints, for people and for programs.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { MachineReport } from '../../src/cli/render/report.ts';
import { visibleWidth } from '../../src/cli/render/paint.ts';
import { assertGolden } from './golden.ts';
import { runCommand } from './run-command.ts';

const dump = (name: string): string => join(import.meta.dirname, `../data/topologies/${name}.json`);

/** Machine → what `--kernel` gets, and the exit status. */
const machines: readonly (readonly [name: string, kernel: string, status: number])[] = [
  ['guest', dump('guest-sysfs'), 0],
  ['guest-assigned', dump('guest-sysfs-assigned'), 0],
  ['gpu-workstation', 'gpu-workstation', 0],
  ['nvme-lvm', 'nvme-lvm', 0],
  ['no-iommu', 'no-iommu', 2],
  ['no-interrupt-remapping', 'no-interrupt-remapping', 0],
  ['no-acs', 'no-acs', 0],
  ['sriov-nic-server', 'sriov-nic-server', 0],
];

for (const [name, kernel, status] of machines) {
  test(`inspect of ${name} is the reviewed one, and the same for a program`, async () => {
    const run = await runCommand(['inspect', '--kernel', kernel]);
    assert.equal(run.status, status);
    assert.equal(run.err, '');
    assertGolden(`inspect-${name}.txt`, run.out);
    const json = await runCommand(['inspect', '--kernel', kernel, '-o', 'json']);
    const yaml = await runCommand(['inspect', '--kernel', kernel, '-o', 'yaml']);
    const report = JSON.parse(json.out) as MachineReport;
    assert.deepEqual(parse(yaml.out), report);
    assert.deepEqual([json.status, yaml.status], [status, status]);
    for (const group of report.groups) {
      for (const { address } of group.members) {
        // Bridges without company are folded; everybody else has a row.
        const folded = group.members.every((member) => member.role === 'bridge');
        assert.equal(run.out.includes(`  ${address}  `), !folded, address);
      }
      assert.equal(group.releasable, group.blockers.length === 0);
    }
  });
}

test('--all lists the groups that hold bridges only', async () => {
  const run = await runCommand(['inspect', '--kernel', 'gpu-workstation', '--all']);
  assert.match(run.out, /^2 .* 0000:00:01\.1 .* NoEndpoint: only bridges$/m);
  assert.doesNotMatch(run.out, /--all/);
});

test('on a terminal the table keeps to its width, with an ellipsis; in a pipe nothing is cut', async () => {
  for (const width of [60, 100, 140]) {
    const run = await runCommand(['inspect', '--kernel', dump('guest-sysfs')], { width });
    const lines = run.out.split('\n');
    const rows = lines.slice(
      lines.findIndex((line) => line.includes('GROUP')),
      lines.lastIndexOf(''),
    );
    const table = rows.slice(0, rows.indexOf(''));
    assert.ok(table.length > 20);
    for (const line of table) assert.ok(visibleWidth(line) <= width, line);
    assert.equal(run.out.includes('…'), width < 140);
  }
  const piped = await runCommand(['inspect', '--kernel', 'gpu-workstation']);
  assert.doesNotMatch(piped.out, /…/);
  assert.match(piped.out, /SoundInUse: controlC0 open by pid 1411 \(pipewire\) \(\+1\)$/m);
});

test('colours are for terminals: none in a pipe or with NO_COLOR, some with FORCE_COLOR', async () => {
  const args = ['inspect', '--kernel', 'no-acs'];
  const coloured = async (options: Parameters<typeof runCommand>[1]): Promise<boolean> =>
    (await runCommand(args, options)).out.includes('\u001b[');
  assert.equal(await coloured({}), false);
  assert.equal(await coloured({ width: 120 }), true);
  assert.equal(await coloured({ width: 120, env: { NO_COLOR: '1' } }), false);
  assert.equal(await coloured({ width: 120, env: { TERM: 'dumb' } }), false);
  assert.equal(await coloured({ env: { FORCE_COLOR: '1' } }), true);
  assert.equal(await coloured({ env: { FORCE_COLOR: '0' } }), false);
});

test('colours change nothing but the colour', async () => {
  const plain = await runCommand(['inspect', '--kernel', 'sriov-nic-server']);
  const painted = await runCommand(['inspect', '--kernel', 'sriov-nic-server'], {
    env: { FORCE_COLOR: '1' },
  });
  // oxlint-disable-next-line no-control-regex -- escape codes begin with one
  assert.equal(painted.out.replaceAll(/\u001b\[\d+m/g, ''), plain.out);
});
