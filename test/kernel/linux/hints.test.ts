import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Clock } from '../../../src/base/clock.ts';
import type { ChangeHint } from '../../../src/kernel/fs.ts';
import { LinuxKernel } from '../../../src/kernel/linux/linux-kernel.ts';
import { eventually, processState, realClock, recordingLog, scratchFolder } from './support.ts';

/** A program that stands where udevadm would, as a shell script. */
function program(folder: string, script: string): string {
  const path = join(folder, 'udevadm');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Real time, a hundred times as fast: back-offs of seconds pass in milliseconds. */
const fastClock: Clock = {
  ...realClock,
  after: (delayMs, fire) => realClock.after(delayMs / 100, fire),
};

function listening(t: TestContext, folder: string, udevadm: string | null, clock = realClock) {
  const log = recordingLog();
  const kernel = new LinuxKernel({ clock, log, roots: { dev: folder }, udevadm });
  const hints: ChangeHint[] = [];
  const subscription = kernel.changes((hint) => hints.push(hint));
  t.after(() => {
    subscription.close();
    kernel.close();
  });
  return { kernel, hints, subscription, log };
}

const line = 'KERNEL[71.302456] bind     /devices/pci0000:00/0000:00:07.0/0000:01:00.0 (pci)';

test('a uevent printed by udevadm is a hint with its device path, however the text is cut', async (t) => {
  const folder = scratchFolder(t, 'programs');
  const half = line.length / 2;
  const udevadm = program(
    folder,
    `echo "monitor will print the received events for:"
echo "KERNEL - the kernel uevent"
printf '%s' '${line.slice(0, half)}'; sleep 0.05; printf '%s\\n' '${line.slice(half)}'
echo 'UDEV  [71.4] bind /devices/x (pci)'
echo $$ > ${folder}/pid; echo "$@" > ${folder}/args; exec sleep 100`,
  );
  const { hints, subscription, log } = listening(t, folder, udevadm);
  await eventually('the hint', () => hints.length > 0 && existsSync(join(folder, 'args')));
  assert.deepEqual(hints, [
    { source: 'uevent', subject: '/devices/pci0000:00/0000:00:07.0/0000:01:00.0' },
  ]);
  assert.match(
    readFileSync(join(folder, 'args'), 'utf8'),
    /^monitor --kernel .*--subsystem-match=pci/,
  );
  assert.deepEqual(
    log.events.map(({ event }) => event),
    ['kernel-hints-listening'],
  );
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  subscription.close();
  await eventually('udevadm was ended', () => processState(pid) === null);
});

test('udevadm that ends says overflow and is started again, later each time', async (t) => {
  const folder = scratchFolder(t, 'programs');
  const udevadm = program(folder, `echo x >> ${folder}/starts; exit 1`);
  const { hints, log } = listening(t, folder, udevadm, fastClock);
  await eventually(
    'three ends',
    () => hints.filter((hint) => hint.source === 'overflow').length >= 3,
  );
  const waits = log.events
    .filter(({ event }) => event === 'kernel-hints-interrupted')
    .map(({ fields }) => fields['retryMs']);
  assert.deepEqual(waits.slice(0, 3), [1000, 2000, 4000]);
});

test('a machine without udevadm gives no uevents and does not try again', async (t) => {
  const { hints, log } = listening(
    t,
    scratchFolder(t, 'programs'),
    '/nonexistent/udevadm',
    fastClock,
  );
  await eventually('it was said', () => log.events.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(
    log.events.map(({ event }) => event),
    ['kernel-hints-without-udevadm'],
  );
  assert.deepEqual(hints, []);
});

test('a node that appears in or goes from /dev/vfio is a hint, also when the folder comes later', async (t) => {
  const folder = scratchFolder(t, 'programs');
  const { hints } = listening(t, folder, null, fastClock);
  mkdirSync(join(folder, 'vfio'));
  await eventually('the folder is watched', () => hints.length > 0);
  assert.deepEqual(hints[0], { source: 'inotify', subject: null });
  writeFileSync(join(folder, 'vfio/17'), '');
  await eventually('the node', () => hints.some((hint) => hint.subject === '/dev/vfio/17'));
  rmSync(join(folder, 'vfio'), { recursive: true });
  await new Promise((resolve) => setTimeout(resolve, 20));
  hints.length = 0;
  mkdirSync(join(folder, 'vfio'));
  await eventually('the new folder is watched', () => hints.length > 0);
});
