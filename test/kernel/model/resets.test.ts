// Resets of functions that are not alone on their bus: random scripts on real kernels found them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transcriptMachine } from '../../play/machine.ts';
import { Player } from '../../play/player.ts';
import { parseScript } from '../../play/script.ts';

test('a bus reset is refused with ENOTTY while a hot-plugged function shares the bus', async () => {
  const lines: string[] = [];
  const reset = 'w /sys/bus/pci/devices/0000:02:01.0/reset 1';
  const script = [
    reset,
    'host device_add e1000,id=c1,bus=pb0,addr=2.0',
    'w /sys/bus/pci/rescan 1',
    reset,
    'r /sys/bus/pci/devices/0000:02:01.0/reset_method',
  ];
  const player = new Player(transcriptMachine('6.12', 'acpi-hotplug'), (line) => lines.push(line));
  await player.play(parseScript(script.join('\n')));
  const answers = lines.filter((line) => line.startsWith('   '));
  assert.deepEqual(answers, [
    '   -> write: OK 1',
    '   -> write: OK 1',
    '   -> write: ERR ENOTTY(25)',
    '   = bus|',
  ]);
});
