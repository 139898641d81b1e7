// The script player as a program: what it prints, and what it says of scripts it cannot play.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../../../src/base/errors.ts';
import { transcriptMachine } from '../../play/machine.ts';
import { Player } from '../../play/player.ts';
import { parseScript } from '../../play/script.ts';

const main = fileURLToPath(new URL('../../play/main.ts', import.meta.url));

/** Lines that a script prints on the machine of the transcripts, without frame and echo. */
async function printed(script: string): Promise<string[]> {
  const lines: string[] = [];
  const player = new Player(transcriptMachine('6.12', 'acpi-hotplug'), (line) => lines.push(line));
  assert.equal(await player.play(parseScript(script)), true);
  return lines.filter((line) => !line.startsWith('@@') && !line.startsWith('> '));
}

function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], (failure, stdout, stderr) => {
      const code = failure === null ? 0 : Number(failure.code);
      resolve({ code, stdout, stderr });
    });
  });
}

const bad: Readonly<Record<string, { readonly script: string; readonly message: RegExp }>> = {
  'an unknown word': {
    script: 'sleep 1\n\nfly /sys',
    message: /line 3: "fly" is no command; commands are w, r, rl/,
  },
  'a missing path': { script: 'w', message: /line 1: "w" needs the form "w PATH DATA"/ },
  'a missing name': { script: 'open /dev/vfio/1', message: /needs the form "open NAME PATH"/ },
  'a missing address': {
    script: 'getdev d g',
    message: /needs the form "getdev NAME GROUP ADDRESS"/,
  },
  'a time that is no number': {
    script: 'wait a soon',
    message: /line 1: "wait" needs a whole number/,
  },
};

for (const [name, { script, message }] of Object.entries(bad)) {
  test(`a script with ${name} is refused with its line and the form`, () => {
    assert.throws(
      () => parseScript(script),
      (thrown: unknown) => {
        assert.ok(thrown instanceof CodedError);
        assert.equal(thrown.code, 'WG_SCRIPT_INVALID');
        assert.match(thrown.message, message);
        return true;
      },
    );
  });
}

test('data is what follows one space, with its own spaces and escapes', async () => {
  const path = '/sys/bus/pci/devices/0000:00:06.0/driver_override';
  const lines = await printed(
    `w ${path}  a b \nr ${path}\nw ${path} \nw ${path} x\\ny\nr ${path}\nw ${path} \\0\nr ${path}`,
  );
  assert.deepEqual(lines, [
    '   -> write: OK 5',
    '   =  a b |',
    '   -> write: OK 0',
    '   -> write: OK 3',
    '   = x|',
    '   -> write: OK 1',
    '   = (null)|',
  ]);
});

test('names of files that are closed or were never opened are bad descriptors', async () => {
  assert.deepEqual(
    await printed(
      'status g\nopen c /dev/vfio/vfio\nclose c\nclose c\nsetiommu c 1\nopen n /nowhere',
    ),
    [
      '   -> GET_STATUS: ERR EBADF(9)',
      '   -> open: OK 4',
      '   -> closed',
      '   -> closed',
      '   -> SET_IOMMU: ERR EBADF(9)',
      '   -> open: ERR ENOENT(2)',
    ],
  );
});

test('modules come and go by shell commands, and drivers with them', async () => {
  const lines = await printed(
    [
      'sh rmmod e1000',
      'rl /sys/bus/pci/devices/0000:00:05.0/driver',
      'sh modprobe e1000',
      'rl /sys/bus/pci/devices/0000:00:05.0/driver',
      'sh echo 0 > /sys/bus/pci/drivers_autoprobe',
      'r /sys/bus/pci/drivers_autoprobe',
      'sh for d in /sys/bus/pci/devices/0000:02:*; do echo "${d##*/}"; done',
    ].join('\n'),
  );
  assert.deepEqual(lines, [
    '   -> readlink: ERR ENOENT(2)',
    '   = ->e1000',
    '   = 0|',
    '0000:02:01.0',
  ]);
});

test('the program plays a file and ends with its frame', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'play-'));
  try {
    const script = join(folder, 'script.txt');
    writeFileSync(script, 'r /sys/bus/pci/devices/0000:00:05.0/vendor\n');
    const { code, stdout } = await run(['--profile', '7.2', script]);
    assert.deepEqual(stdout.split('\n'), [
      '@@START',
      '> r /sys/bus/pci/devices/0000:00:05.0/vendor',
      '   = 0x8086|',
      '@@DONE',
      '',
    ]);
    assert.equal(code, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the program names what is wrong with its flags, and with a script that sleeps for ever', async () => {
  const wrong = await run(['--profile', '9.9', '/dev/null']);
  assert.equal(wrong.code, 64);
  assert.match(
    wrong.stderr,
    /WG_FLAG_INVALID: --profile is "9\.9"; allowed: legacy, 6\.1, 6\.12, 7\.2/,
  );
  const unread = await run(['/nowhere/script.txt']);
  assert.equal(unread.code, 65);
  assert.match(unread.stderr, /WG_SCRIPT_INVALID: script \/nowhere\/script\.txt cannot be read/);
  const folder = mkdtempSync(join(tmpdir(), 'play-'));
  try {
    const script = join(folder, 'script.txt');
    const address = '0000:01:00.0';
    const steps = [
      `w /sys/bus/pci/devices/${address}/driver_override vfio-pci`,
      `w /sys/bus/pci/drivers_probe ${address}`,
      'open c /dev/vfio/vfio',
      'open g /dev/vfio/3',
      'setcont g c',
      'setiommu c 1',
      `getdev d g ${address}`,
      `w /sys/bus/pci/drivers/vfio-pci/unbind ${address}`,
    ];
    writeFileSync(script, steps.join('\n'));
    const stuck = await run([script]);
    assert.match(stuck.stdout, /@@STUCK line 8\n$/);
    assert.equal(stuck.code, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
