// When the long listings of a fingerprint are repeated, and what shows without them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { createHost } from '../../src/host/create-host.ts';
import type { Host } from '../../src/host/host.ts';
import type { KernelFs } from '../../src/kernel/fs.ts';
import { mayBlock, type Operation } from '../../src/kernel/linux/may-block.ts';
import { KernelModel } from '../../src/kernel/model/kernel-model.ts';
import { bundledTopology } from '../../src/kernel/model/topology-bundled.ts';
import { changesBetween, type Fingerprint, isNone } from '../../src/pci/changes.ts';
import { realClock } from '../kernel/linux/support.ts';

const devices = '/sys/bus/pci/devices';

interface Watched {
  readonly model: KernelModel;
  readonly host: Host;
  /** Paths that were listed since the last question. */
  readonly listed: () => readonly string[];
}

function watched(hide: string | null = null): Watched {
  const clock = realClock;
  const model = new KernelModel({ spec: bundledTopology('gpu-workstation'), clock });
  let lists: string[] = [];
  const kernel: KernelFs = {
    read: (path, options) =>
      path === hide
        ? Promise.resolve({ kind: 'errno', errno: 'ENOENT' })
        : model.read(path, options),
    list: (path) => {
      lists.push(path);
      return model.list(path);
    },
    readLink: (path) => model.readLink(path),
    readLinks: (path) => model.readLinks(path),
    exists: (path) => model.exists(path),
    write: (path, data, options) => model.write(path, data, options),
    changes: (listener) => model.changes(listener),
  };
  const host = createHost({ kernel, clock, log: silentLog });
  return {
    model,
    host,
    listed: () => {
      const since = lists;
      lists = [];
      return since;
    },
  };
}

async function settle({ host, listed }: Watched): Promise<Fingerprint> {
  await host.fingerprint();
  await host.fingerprint();
  const settled = await host.fingerprint();
  listed();
  return settled;
}

test('a poll does not list the devices again while the number of uevents stays', async () => {
  const machine = watched();
  const before = await settle(machine);
  assert(isNone(changesBetween(before, await machine.host.fingerprint())));
  assert.equal(machine.listed().includes(devices), false);
});

test('a poll lists the devices twice after a uevent: a removal is told before it is done', async () => {
  const machine = watched();
  const before = await settle(machine);
  const [address] = machine.model.machine.devices.keys();
  const written = await machine.model.write(`${devices}/${address}/uevent`, 'change');
  assert.equal(written.kind, 'value');
  const listings = [];
  for (let poll = 0; poll < 3; poll++) {
    assert(isNone(changesBetween(before, await machine.host.fingerprint())));
    listings.push(machine.listed().includes(devices));
  }
  assert.deepEqual(listings, [true, true, false]);
});

test('a poll lists the devices every time where the number of uevents cannot be read', async () => {
  const machine = watched('/sys/kernel/uevent_seqnum');
  await settle(machine);
  await machine.host.fingerprint();
  assert.equal(machine.listed().includes(devices), true);
});

test('the devices are listed within thirty-one polls, whatever the number of uevents says', async () => {
  const machine = watched();
  await settle(machine);
  for (let poll = 0; poll < 31; poll++) await machine.host.fingerprint();
  assert.equal(machine.listed().includes(devices), true);
});

test('the loss of a driver shows in the next poll', async () => {
  const machine = watched();
  const before = await settle(machine);
  const bound = [...machine.model.machine.devices.values()].find(({ driver }) => driver !== null);
  assert(bound?.driver);
  const unbind = `/sys/bus/pci/drivers/${bound.driver.name}/unbind`;
  assert.equal((await machine.model.write(unbind, bound.address)).kind, 'value');
  assert.deepEqual(changesBetween(before, await machine.host.fingerprint()), {
    kind: 'some',
    functions: new Set([bound.address]),
    groups: new Set(),
  });
});

test('a poll makes no call that could block: it would keep a child process alive for ever', async () => {
  const model = new KernelModel({ spec: bundledTopology('gpu-workstation'), clock: realClock });
  const blocking: string[] = [];
  const noting = (operation: Operation, path: string): string => {
    if (mayBlock(operation, path)) blocking.push(`${operation} ${path}`);
    return path;
  };
  const kernel: KernelFs = {
    read: (path, options) => model.read(noting('read', path), options),
    list: (path) => model.list(noting('list', path)),
    readLink: (path) => model.readLink(noting('readLink', path)),
    readLinks: (path) => model.readLinks(noting('readLinks', path)),
    exists: (path) => model.exists(noting('exists', path)),
    write: () => assert.fail('a poll writes nothing'),
    changes: (listener) => model.changes(listener),
  };
  await createHost({ kernel, clock: realClock, log: silentLog }).fingerprint();
  assert.deepEqual(blocking, []);
});
