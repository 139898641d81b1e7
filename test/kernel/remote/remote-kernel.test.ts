import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { CodedError } from '../../../src/base/errors.ts';
import { parsePciAddress } from '../../../src/pci/address.ts';
import type { ChangeHint } from '../../../src/kernel/fs.ts';
import { serveKernel } from '../../../src/kernel/model/serve.ts';
import { connectKernel } from '../../../src/kernel/remote/remote-kernel.ts';
import { realClock } from '../../../src/observe/real-clock.ts';
import { logOf } from './log.ts';
import { bench, textOf, until } from './support.ts';

const pci = '/sys/bus/pci/devices';
const nic = `${pci}/0000:00:05.0`;
const coded = (code: string) => (thrown: unknown) =>
  thrown instanceof CodedError && thrown.code === code;
const parsed = parsePciAddress('0000:00:06.0');
assert.ok(parsed.ok);
const disk = parsed.value;

test('all five calls answer over the socket as the model itself does', async (t) => {
  const { kernel, model } = await bench(t);
  for (const fs of [kernel, model]) {
    const vendor = await fs.read(`${nic}/vendor`);
    assert.ok(vendor.kind === 'value');
    assert.equal(Buffer.from(vendor.value).toString(), '0x8086\n');
    assert.deepEqual(await fs.readLink(`${nic}/driver`), {
      kind: 'value',
      value: '../../../bus/pci/drivers/e1000',
    });
    assert.deepEqual(await fs.list(`${nic}/net`), { kind: 'value', value: ['eth0'] });
    assert.deepEqual(await fs.exists(`${nic}/iommu_group`), { kind: 'value', value: true });
    assert.deepEqual(await fs.exists(`${nic}/no_such`), { kind: 'value', value: false });
    assert.deepEqual(await fs.read(`${nic}/no_such`), { kind: 'errno', errno: 'ENOENT' });
    assert.deepEqual(await fs.write(`${nic}/driver_override`, 'vfio-pci'), {
      kind: 'value',
      value: 8,
    });
    assert.deepEqual(await fs.write(`${nic}/driver_override`, '\0'), { kind: 'value', value: 1 });
  }
  assert.equal(kernel.machine, 'transcripts');
  assert.equal(kernel.profile, '6.12');
});

test('bytes that are no text come over unchanged', async (t) => {
  const { kernel, model } = await bench(t);
  const config = await kernel.read(`${nic}/config`);
  const original = await model.read(`${nic}/config`);
  assert.ok(config.kind === 'value' && original.kind === 'value');
  assert.ok(config.value.length >= 64);
  assert.deepEqual(config.value, original.value);
});

test('others come between hundreds of answers', async (t) => {
  const { kernel } = await bench(t);
  const perTurn = [0];
  let going = true;
  const turn = (): void => {
    perTurn.push(0);
    if (going) setImmediate(turn);
  };
  turn();
  const reads = Array.from({ length: 1000 }, async () => {
    await kernel.read(`${nic}/vendor`);
    perTurn[perTurn.length - 1] = (perTurn.at(-1) ?? 0) + 1;
  });
  await Promise.all(reads);
  going = false;
  assert.ok(Math.max(...perTurn) <= 64, `${Math.max(...perTurn)} at once`);
});

test('a call that hangs becomes pending at its deadline and its late answer still comes', async (t) => {
  const { kernel, model } = await bench(t);
  const fault = model.control.inject({ kind: 'read-hang', path: `${nic}/class` });
  const started = performance.now();
  const outcome = await kernel.read(`${nic}/class`, { deadlineMs: 50 });
  assert.ok(outcome.kind === 'pending');
  assert.ok(performance.now() - started < 1500);
  assert.equal(await textOf(kernel, `${nic}/vendor`), '0x8086\n');
  fault.clear();
  const late = await outcome.settles;
  assert.ok(late.kind === 'value');
  assert.equal(Buffer.from(late.value).toString(), '0x020000\n');
});

test('what a client had started goes on in the kernel after the client is gone', async (t) => {
  const { kernel, model, socketPath } = await bench(t);
  const dying = await connectKernel(socketPath, realClock());
  const fault = model.control.inject({ kind: 'unbind-hang', address: disk });
  const write = dying.write('/sys/bus/pci/drivers/nvme/unbind', disk, { deadlineMs: 20_000 });
  await until(async () => !(await driverOf()), 'the driver link to go');
  dying.close();
  assert.deepEqual(await write, { kind: 'errno', errno: 'ECONNRESET' });
  assert.equal(model.bindingOf(disk)?.driver, 'nvme');
  fault.clear();
  await until(() => model.bindingOf(disk)?.driver === null, 'the unbind to end');

  async function driverOf(): Promise<boolean> {
    return (await kernel.readLink(`${pci}/${disk}/driver`)).kind === 'value';
  }
});

test('many clients and many calls at once each get their own answers', async (t) => {
  const { socketPath } = await bench(t);
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => connectKernel(socketPath, realClock())),
  );
  t.after(() => clients.forEach((client) => client.close()));
  const expected: Record<string, string> = {
    '0000:00:05.0': '0x100e\n',
    '0000:00:06.0': '0x0010\n',
    '0000:01:00.0': '0x10d3\n',
  };
  const addresses = Object.keys(expected);
  const calls = clients.flatMap((client) =>
    Array.from({ length: 300 }, async (_, i) => {
      const address = addresses[i % addresses.length] ?? '';
      assert.equal(await textOf(client, `${pci}/${address}/device`), expected[address]);
    }),
  );
  await Promise.all(calls);
});

test('answers of many megabytes come back whole', async (t) => {
  const { kernel } = await bench(t);
  const reads = Array.from({ length: 3000 }, () => kernel.read(`${nic}/config`));
  const sizes = (await Promise.all(reads)).map((got) =>
    got.kind === 'value' ? got.value.length : 0,
  );
  assert.equal(new Set(sizes).size, 1);
  assert.ok((sizes[0] ?? 0) >= 64);
});

test('hints come from the served kernel, the first of them an overflow', async (t) => {
  const { kernel, model } = await bench(t);
  const hints: ChangeHint[] = [];
  const watching = kernel.changes((hint) => hints.push(hint));
  await until(() => hints.length > 0, 'the first hint');
  assert.deepEqual(hints[0], { source: 'overflow', subject: null });
  await model.write(`/sys/bus/pci/drivers/nvme/unbind`, disk);
  await until(() => hints.some(({ subject }) => subject?.endsWith(disk) === true), 'the unbind');
  watching.close();
  const before = hints.length;
  await model.write(`/sys/bus/pci/drivers/nvme/bind`, disk);
  assert.equal(await textOf(kernel, `${nic}/vendor`), '0x8086\n');
  assert.equal(hints.length, before);
});

test('when the server goes, calls settle with ECONNRESET, hints tell, and the client stays closed', async (t) => {
  const { kernel, model, served, socketPath } = await bench(t);
  model.control.inject({ kind: 'read-hang', path: `${nic}/class` });
  const hints: ChangeHint[] = [];
  kernel.changes((hint) => hints.push(hint));
  await until(() => hints.length === 1, 'the first hint');
  const hanging = kernel.read(`${nic}/class`, { deadlineMs: 60_000 });
  const pending = await kernel.read(`${nic}/class`, { deadlineMs: 20 });
  assert.ok(pending.kind === 'pending');
  await served.close();
  assert.deepEqual(await hanging, { kind: 'errno', errno: 'ECONNRESET' });
  assert.deepEqual(await pending.settles, { kind: 'errno', errno: 'ECONNRESET' });
  assert.notEqual(await kernel.closed, '');
  assert.equal(kernel.isOpen, false);
  assert.equal(hints.length, 2);
  assert.deepEqual(await kernel.list(pci), { kind: 'errno', errno: 'ECONNRESET' });
  await assert.rejects(connectKernel(socketPath, realClock()), coded('WG_KERNEL_UNREACHABLE'));
});

test('a server that is killed is a lost connection, and the machine of a new one is another', async (t) => {
  const { folder } = await bench(t);
  const socketPath = join(folder, 'killed.sock');
  const source = (path: string): string => new URL(`../../../src/${path}`, import.meta.url).href;
  const program = `
    import { KernelModel } from '${source('kernel/model/kernel-model.ts')}';
    import { serveKernel } from '${source('kernel/model/serve.ts')}';
    import { bundledTopology } from '${source('kernel/model/topology-bundled.ts')}';
    import { realClock } from '${source('observe/real-clock.ts')}';
    const model = new KernelModel({ spec: bundledTopology('transcripts'), clock: realClock() });
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    await serveKernel({ model, socketPath: ${JSON.stringify(socketPath)}, log });
    console.log('listening');
  `;
  const start = async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return child;
  };
  const first = await start();
  const kernel = await connectKernel(socketPath, realClock());
  await kernel.write(`${nic}/driver_override`, 'vfio-pci');
  assert.equal(await textOf(kernel, `${nic}/driver_override`), 'vfio-pci\n');
  first.kill('SIGKILL');
  await kernel.closed;
  assert.deepEqual(await kernel.read(`${nic}/driver_override`), {
    kind: 'errno',
    errno: 'ECONNRESET',
  });
  // The dead server left its socket behind: the next one takes its place.
  const second = await start();
  const again = await connectKernel(socketPath, realClock());
  assert.equal(await textOf(again, `${nic}/driver_override`), '(null)\n');
  again.close();
  second.kill('SIGTERM');
  await once(second, 'exit');
});

test('a socket that is in use, is none, or has too long a path is refused, and nothing is removed', async (t) => {
  const { model, socketPath, folder } = await bench(t);
  const { log } = logOf();
  const failed = coded('WG_LISTEN_FAILED');
  await assert.rejects(serveKernel({ model, socketPath, log }), failed);
  const file = join(folder, 'file');
  await writeFile(file, 'mine');
  await assert.rejects(serveKernel({ model, socketPath: file, log }), failed);
  assert.equal((await stat(file)).size, 4);
  await assert.rejects(serveKernel({ model, socketPath: 'relative', log }), failed);
  const long = join(folder, 'x'.repeat(120));
  await assert.rejects(serveKernel({ model, socketPath: long, log }), failed);
  assert.equal((await stat(socketPath)).mode & 0o777, 0o600);
});

test('a socket where something else listens is unreachable, not a kernel', async (t) => {
  const { folder } = await bench(t);
  const path = join(folder, 'other.sock');
  const other = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  other.listen(path);
  await once(other, 'listening');
  t.after(() => other.close());
  await assert.rejects(connectKernel(path, realClock()), coded('WG_KERNEL_UNREACHABLE'));
});
