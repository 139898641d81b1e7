// /proc folders of single subsystems: sound, ZFS, the nvidia driver.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import { dir, listing, textFile } from '../tree.ts';
import type { VDir } from '../vfs.ts';
import { folderOf } from './files.ts';

interface Card {
  readonly child: ChildDevice;
  readonly open: readonly string[];
}

function cardsOf(machine: Machine): readonly (readonly [string, Card])[] {
  return machine.children
    .of('sound')
    .flatMap((child) =>
      child.facts.kind === 'sound'
        ? [[`card${child.facts.card}`, { child, open: child.facts.open }] as const]
        : [],
    );
}

/** Who plays on a card: the process that has one of its PCM nodes open; else a player that nobody described. */
function playerOf(machine: Machine, card: number): number {
  const node = `/dev/snd/pcmC${card}D`;
  for (const process of machine.processes.all()) {
    for (const file of process.files.values()) if (file.target.startsWith(node)) return process.pid;
  }
  return 1;
}

function pcmStatus(machine: Machine, card: Card, pcm: string): string {
  if (!card.open.includes(pcm)) return 'closed\n';
  const number = card.child.facts.kind === 'sound' ? card.child.facts.card : 0;
  const lines = [
    ...['state: RUNNING', `owner_pid   : ${playerOf(machine, number)}`],
    ...['trigger_time: 12.500000000', 'tstamp      : 0.000000000', 'delay       : 1024'],
    ...[
      'avail       : 7168',
      'avail_max   : 7168',
      '-----',
      'hw_ptr      : 1024',
      'appl_ptr    : 2048',
    ],
  ];
  return `${lines.join('\n')}\n`;
}

/** /proc/asound. */
export function asound(machine: Machine): VDir {
  const cards = folderOf(
    () => cardsOf(machine),
    (card) =>
      folderOf(
        () => [...new Set(['pcm0p', 'pcm0c', ...card.open])].map((pcm) => [pcm, pcm] as const),
        (pcm) => dir({ sub0: dir({ status: textFile(() => pcmStatus(machine, card, pcm)) }) }),
      ),
  ) as VDir;
  const list = (): string => {
    const lines = cardsOf(machine).map(
      ([name]) => `${name.slice(4).padStart(2)} [${name.padEnd(15)}]: HDA-Intel - HDA Intel\n`,
    );
    return lines.length === 0 ? '--- no soundcards ---\n' : lines.join('');
  };
  const cardsFile = textFile(list);
  return listing(
    () => ['cards', ...cards.list()],
    (name) => (name === 'cards' ? cardsFile : cards.child(name)),
  );
}

/** /proc/spl/kstat/zfs: a folder for each imported pool. */
export function zfsPools(machine: Machine): VDir {
  return folderOf(
    () => machine.spec.zfsPools.map((pool) => [pool.name, pool] as const),
    (pool) => dir({ state: textFile(() => `${pool.state}\n`) }),
  ) as VDir;
}

/** /proc/driver/nvidia/gpus: the functions that the nvidia driver has. */
export function nvidiaGpus(machine: Machine): VDir {
  const gpus = (): (readonly [string, string])[] =>
    [...machine.devices.values()]
      .filter((device) => device.driverLink && device.driver?.name === 'nvidia')
      .map((device) => [device.address, device.address] as const);
  return folderOf(gpus, (address) =>
    dir({
      information: textFile(
        () =>
          `Model: \t\t NVIDIA GPU\nBus Type: \t PCIe\nBus Location: \t ${address}\nDevice Minor: \t 0\n`,
      ),
    }),
  ) as VDir;
}
