import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { laneEntryUnbuilt } from '../../../src/kernel/linux/linux-kernel.ts';
import { machine, text, value } from './machine.ts';
import { drain, eventually, makeFifo, processState, scratchFolder, writeTree } from './support.ts';

test('a lane is used again, ends when idle, and leaves no process behind', async (t) => {
  const { kernel, roots, lanes } = machine(t, { idleMs: 80 });
  writeTree(roots.sysfs, { 'kernel/fine': 'fine' });
  await kernel.read('/sys/kernel/fine');
  const [first] = lanes.lanePids;
  for (let again = 0; again < 20; again++) await kernel.read('/sys/kernel/fine');
  assert.deepEqual(lanes.lanePids, [first]);
  await eventually('the idle lane ended', () => lanes.lanePids.length === 0);
  assert.equal(processState(first ?? 0), null);
  assert.equal(text(value(await kernel.read('/sys/kernel/fine'))), 'fine');
});

test('a lane killed in the middle of a call gives EIO, says so, and is replaced', async (t) => {
  const { kernel, roots, lanes, log } = machine(t);
  writeTree(roots.sysfs, { 'kernel/fine': 'fine' });
  makeFifo(join(roots.sysfs, 'kernel/hangs'));
  const hung = await kernel.write('/sys/kernel/hangs', 'x', { deadlineMs: 50 });
  const [pid = 0] = lanes.lanePids;
  process.kill(pid, 'SIGKILL');
  assert.deepEqual(hung.kind === 'pending' && (await hung.settles), {
    kind: 'errno',
    errno: 'EIO',
  });
  await eventually('no zombie is left', () => processState(pid) === null);
  assert.ok(
    log.events.some(({ event, fields }) => event === 'kernel-lane-lost' && fields['pid'] === pid),
  );
  assert.equal(text(value(await kernel.read('/sys/kernel/fine'))), 'fine');
});

test('a lane has a session of its own and no descriptor but its channel', async (t) => {
  const { kernel, roots, lanes, folder } = machine(t);
  const extra = openSync(join(folder), 'r');
  t.after(() => closeSync(extra));
  makeFifo(join(roots.sysfs, 'kernel/hangs'));
  await kernel.read('/sys/kernel/hangs', { deadlineMs: 300 });
  const [pid = 0] = lanes.lanePids;
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const foreign = open.filter((target) => !/^(socket:|pipe:|anon_inode:|\/dev\/null)/.test(target));
  assert.deepEqual(foreign, [], open.join());
  const [, , group, session] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  assert.equal(Number(group), pid);
  assert.equal(Number(session), pid);
  process.kill(pid, 'SIGKILL');
});

test('a lane keeps nothing that the agent itself inherited', async (t) => {
  const folder = scratchFolder(t);
  writeTree(folder, { 'held-open': '', 'kernel/fine': 'fine' });
  const source = join(import.meta.dirname, '../../../src/kernel/linux/linux-kernel.ts');
  const support = join(import.meta.dirname, 'support.ts');
  writeFileSync(
    join(folder, 'agent.ts'),
    `import { readdirSync, readlinkSync } from 'node:fs';
import { LinuxKernel } from ${JSON.stringify(source)};
import { LanePool } from ${JSON.stringify(source.replace('linux-kernel', 'lane-pool'))};
import { realClock, recordingLog } from ${JSON.stringify(support)};
const program = { execPath: process.execPath, entry: ${JSON.stringify(laneEntryUnbuilt)} };
const lanes = new LanePool({ clock: realClock, log: recordingLog(), program });
const roots = { sysfs: ${JSON.stringify(folder)} };
const kernel = new LinuxKernel({ clock: realClock, log: recordingLog(), lanes, roots, udevadm: null });
await kernel.read('/sys/kernel/fine');
const links = (pid) => readdirSync('/proc/' + pid + '/fd').map((fd) => { try { return readlinkSync('/proc/' + pid + '/fd/' + fd); } catch { return ''; } });
console.log(JSON.stringify({ agent: links('self'), lane: links(lanes.lanePids[0]) }));
lanes.close();
`,
  );
  // Descriptor 200: above those that Node marks close-on-exec when it starts.
  const command = 'exec 200<"$1/held-open"; exec "$2" "$1/agent.ts"';
  const shell = ['-c', command, 'sh', folder, process.execPath];
  const found = JSON.parse(execFileSync('bash', shell, { encoding: 'utf8' })) as Record<
    string,
    string[]
  >;
  const held = join(folder, 'held-open');
  assert.equal(found['agent']?.includes(held), true, 'the agent inherited it');
  assert.equal(found['lane']?.includes(held), false);
});

test('an agent that is told to end does so at once, and its blocked lane ends when the call returns', async (t) => {
  const folder = scratchFolder(t);
  const fifo = makeFifo(join(folder, 'kernel/hangs'));
  const script = join(folder, 'agent.ts');
  const source = join(import.meta.dirname, '../../../src/kernel/linux/linux-kernel.ts');
  const support = join(import.meta.dirname, 'support.ts');
  writeFileSync(
    script,
    `import { LinuxKernel } from ${JSON.stringify(source)};
import { realClock } from ${JSON.stringify(support)};
const silentLog = { debug() {}, info() {}, warn() {}, error() {} };
const kernel = new LinuxKernel({ clock: realClock, log: silentLog, roots: { sysfs: ${JSON.stringify(folder)} }, udevadm: null });
const hung = await kernel.write('/sys/kernel/hangs', 'x', { deadlineMs: 300 });
console.log(hung.kind);
setInterval(() => {}, 1000);
`,
  );
  const agent = spawn(process.execPath, [script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  await new Promise<void>((resolve) => agent.stdout.once('data', () => resolve()));
  const lane = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/stat`, 'utf8')
            .replace(/^.*\) /s, '')
            .split(' ')[1] === String(agent.pid)
        );
      } catch {
        return false;
      }
    });
  assert.ok(lane !== undefined, 'the agent has a lane');
  const startedMs = performance.now();
  // To the whole process group, as a terminal or a container runtime may do.
  process.kill(-(agent.pid ?? 0), 'SIGTERM');
  await new Promise((resolve) => agent.once('exit', resolve));
  assert.ok(performance.now() - startedMs < 1000);
  assert.notEqual(processState(lane), null, 'the lane is still blocked');
  const reader = drain(fifo);
  await eventually(
    'the lane ended on its own',
    () => processState(lane) === null || processState(lane) === 'Z',
  );
  closeSync(reader);
});
