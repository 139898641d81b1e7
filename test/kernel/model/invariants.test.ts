// Whatever is done to a machine, in whatever order and overlap, the accounting of DMA ownership keeps what
// the kernel keeps. Sequences are random; the seed of a failing run is printed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KernelProfile } from '../../../src/kernel/model/spec.ts';
import { hotPlugged } from '../../play/hot-plug.ts';
import { check } from './accounting.ts';
import { Bench, User, at, device } from './bench-machine.ts';

const functions = [
  '0000:00:05.0',
  '0000:00:05.1',
  '0000:00:06.0',
  '0000:01:00.0',
  '0000:02:01.0',
  '0000:04:00.0',
  '0000:04:00.1',
];
const drivers = ['e1000', 'nvme', 'vfio-pci', 'pci-stub', 'uio_pci_generic'];
const groups = [1, 2, 3, 4, 8, 9];

/**
 * The kernel's own deadlock (recorded as m10): removing a PF takes the global lock and then the device's,
 * sriov_numvfs takes them the other way round. Whatever needs the global lock waits behind them for ever.
 */
function isDeadlocked(paths: readonly string[]): boolean {
  return ['remove', 'sriov_numvfs'].every((name) =>
    paths.includes(`${device('0000:04:00.0')}/${name}`),
  );
}

type Step = (bench: Bench, users: User[]) => void;

const function_ = fc.constantFrom(...functions);
const driver = fc.constantFrom(...drivers);
const group = fc.constantFrom(...groups);

const write = (path: fc.Arbitrary<string>, data: fc.Arbitrary<string>): fc.Arbitrary<Step> =>
  fc.tuple(path, data).map(
    ([to, text]): Step =>
      (bench) =>
        void bench.model.write(to, text, { deadlineMs: 1_000_000 }),
  );

const file = (name: string): fc.Arbitrary<string> =>
  function_.map((address) => `${device(address)}/${name}`);

const takeover: fc.Arbitrary<Step> = fc.tuple(group, fc.nat(3), function_).map(
  ([number, step, address]): Step =>
    (bench, users) => {
      const user = new User(bench);
      users.push(user);
      user.open('c', '/dev/vfio/vfio');
      user.open('g', `/dev/vfio/${number}`);
      if (step > 0) user.setContainer('g', 'c');
      if (step > 1) user.setIommu('c');
      if (step > 2) user.device('d', 'g', address);
    },
);

const members: Readonly<Record<number, readonly string[]>> = {
  1: ['0000:00:05.0', '0000:00:05.1'],
  2: ['0000:00:06.0'],
  3: ['0000:01:00.0'],
  4: ['0000:02:01.0'],
  8: ['0000:04:00.0'],
};

/** What an agent and then a guest do, while everything else goes on: override, unbind, probe, open. */
async function handOver(bench: Bench, users: User[], number: number): Promise<void> {
  const deadlineMs = 1_000_000;
  for (const address of members[number] ?? []) {
    await bench.model.write(`${device(address)}/driver_override`, 'vfio-pci', { deadlineMs });
    const native = bench.model.bindingOf(at(address))?.driver ?? 'none';
    await bench.model.write(`/sys/bus/pci/drivers/${native}/unbind`, address, { deadlineMs });
    await bench.model.write('/sys/bus/pci/drivers_probe', address, { deadlineMs });
  }
  const user = new User(bench);
  users.push(user);
  user.open('c', '/dev/vfio/vfio');
  user.open('g', `/dev/vfio/${number}`);
  user.setContainer('g', 'c');
  user.setIommu('c');
  user.device('d', 'g', members[number]?.[0] ?? '');
}

const handover: fc.Arbitrary<Step> = fc.constantFrom(1, 1, 2, 3, 4, 8).map(
  (number): Step =>
    (bench, users) =>
      void handOver(bench, users, number),
);

const cdevTakeover: fc.Arbitrary<Step> = fc.nat(2).map(
  (index): Step =>
    (bench, users) => {
      const user = users.at(-1) ?? new User(bench);
      if (!users.includes(user)) users.push(user);
      user.open('i', '/dev/iommu');
      user.open(`x${index}`, `/dev/vfio/devices/vfio${index}`);
      user.bind(`x${index}`, 'i');
    },
);

const letGo: fc.Arbitrary<Step> = fc
  .tuple(fc.nat(), fc.constantFrom('d', 'g', 'c', 'x0', 'x1', 'unset'))
  .map(
    ([which, what]): Step =>
      (_bench, users) => {
        const user = users[which % Math.max(1, users.length)];
        if (what === 'unset') user?.unset('g');
        else user?.close(what);
      },
  );

const kill: fc.Arbitrary<Step> = fc.nat().map(
  (which): Step =>
    (bench, users) => {
      const user = users[which % Math.max(1, users.length)];
      if (user !== undefined) bench.model.control.kill(user.pid, 9);
    },
);

const plug: fc.Arbitrary<Step> = fc.boolean().map(
  (adding): Step =>
    (bench) => {
      const spec = hotPlugged('e1000', { bus: 'pb0', addr: '2.0' });
      assert.ok(spec !== null);
      if (adding) void bench.model.control.hotAdd(spec);
      else void bench.model.control.hotRemove(at('0000:02:02.0'));
    },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: write(
      file('driver_override'),
      fc.constantFrom('vfio-pci', 'vfio-pci', '\n', 'none', 'pci-stub'),
    ),
  },
  {
    weight: 5,
    arbitrary: write(
      driver.map((name) => `/sys/bus/pci/drivers/${name}/unbind`),
      function_,
    ),
  },
  {
    weight: 4,
    arbitrary: write(
      driver.map((name) => `/sys/bus/pci/drivers/${name}/bind`),
      function_,
    ),
  },
  { weight: 5, arbitrary: write(fc.constant('/sys/bus/pci/drivers_probe'), function_) },
  {
    weight: 1,
    arbitrary: write(
      fc.constant('/sys/bus/pci/drivers/vfio-pci/new_id'),
      fc.constantFrom('8086 100e', '1b36 0010'),
    ),
  },
  { weight: 1, arbitrary: write(file('remove'), fc.constant('1')) },
  { weight: 1, arbitrary: write(fc.constant('/sys/bus/pci/rescan'), fc.constant('1')) },
  {
    weight: 1,
    arbitrary: write(
      fc.constant(`${device('0000:04:00.0')}/sriov_numvfs`),
      fc.constantFrom('0', '1', '2'),
    ),
  },
  { weight: 1, arbitrary: write(file('reset'), fc.constant('1')) },
  {
    weight: 1,
    arbitrary: write(
      group.map((n) => `/sys/kernel/iommu_groups/${n}/type`),
      fc.constantFrom('identity', 'DMA'),
    ),
  },
  { weight: 12, arbitrary: handover },
  { weight: 3, arbitrary: takeover },
  { weight: 2, arbitrary: cdevTakeover },
  { weight: 4, arbitrary: letGo },
  { weight: 1, arbitrary: kill },
  { weight: 1, arbitrary: plug },
);

for (const profile of ['6.1', '6.12', '7.2'] as const satisfies readonly KernelProfile[]) {
  for (const cdev of profile === '6.1' ? [false] : [false, true]) {
    test(`ownership accounting holds in any history (${profile}${cdev ? ', device files' : ''})`, async () => {
      const history = fc.array(fc.tuple(step, fc.constantFrom(0, 0, 5, 40, 400)), {
        minLength: 10,
        maxLength: 60,
      });
      await fc.assert(
        fc.asyncProperty(history, async (steps) => {
          const bench = Bench.of(profile, 'acpi-hotplug', { cdev });
          const users: User[] = [];
          check(bench.model.machine);
          for (const [act, passMs] of steps) {
            act(bench, users);
            check(bench.model.machine);
            await bench.pass(passMs);
            check(bench.model.machine);
          }
          // When every user is gone, everything that waited comes to its end.
          for (let round = 0; round < 4; round++) {
            for (const user of users) bench.model.control.kill(user.pid, 9);
            await bench.pass(60_000);
          }
          check(bench.model.machine);
          assert.deepEqual(bench.model.openUses(), []);
          for (const one of bench.model.machine.groups.values()) assert.equal(one.owner, null);
          const waiting = bench.model.journal().filter((entry) => entry.settled === null);
          if (isDeadlocked(waiting.map(({ path }) => path))) return;
          assert.deepEqual(
            waiting.map(({ path }) => path),
            [],
          );
        }),
        { numRuns: 60 },
      );
    });
  }
}
