import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DeviceNodes } from '../../../src/kernel/model/serve-nodes.ts';
import { logOf } from './log.ts';
import { bench, until } from './support.ts';

const pci = '/sys/bus/pci';
const address = '0000:01:00.0';

async function names(folder: string): Promise<string[]> {
  const found: string[] = await readdir(folder).catch(() => []);
  return found.sort();
}

test('stand-ins of the VFIO nodes come and go with those of the model', async (t) => {
  const { kernel, folder, served, logged } = await bench(t, 'transcripts', true);
  const vfio = join(folder, 'dev', 'vfio');
  await until(async () => (await names(vfio)).join() === 'vfio', 'the container node');
  await kernel.write(`${pci}/devices/${address}/driver_override`, 'vfio-pci');
  await kernel.write(`${pci}/drivers/e1000e/unbind`, address);
  await kernel.write(`${pci}/drivers_probe`, address);
  await until(async () => (await names(vfio)).join() === '3,vfio', 'the node of the group');
  const node = await lstat(join(vfio, '3'));
  assert.equal(node.mode & 0o777, 0o600);
  assert.equal((await lstat(join(vfio, 'vfio'))).mode & 0o777, 0o666);
  // Where device nodes may not be made, plain files stand in, and that is told.
  const told = logged.some(({ event }) => event === 'sim-nodes-are-files');
  assert.equal(node.isCharacterDevice(), !told);
  if (node.isCharacterDevice()) assert.equal(node.rdev, 0x103);
  await kernel.write(`${pci}/drivers/vfio-pci/unbind`, address);
  await until(async () => (await names(vfio)).join() === 'vfio', 'the node to go');
  await served.close();
  assert.deepEqual(await names(vfio), []);
});

test('what is no stand-in is neither replaced nor removed', async (t) => {
  const { model, folder } = await bench(t);
  const root = join(folder, 'dev');
  await mkdir(join(root, 'vfio'), { recursive: true });
  await writeFile(join(root, 'vfio', 'vfio'), 'precious');
  await writeFile(join(root, 'vfio', '99'), 'precious');
  await writeFile(join(root, 'vfio', '98'), '');
  const { log, logged } = logOf();
  const nodes = new DeviceNodes({ kernel: model, root, log });
  await nodes.sync();
  assert.equal(logged.filter(({ event }) => event === 'sim-node-refused').length, 1);
  await nodes.clear();
  assert.equal(await readFile(join(root, 'vfio', 'vfio'), 'utf8'), 'precious');
  assert.deepEqual(await names(join(root, 'vfio')), ['99', 'vfio']);
});
