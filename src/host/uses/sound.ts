// Sound cards: a stream that plays or records, or a program that has the card open.
import type { HostUse } from '../../ownership/use.ts';
import { findingsOf } from '../concurrently.ts';
import { isAbsent } from '../reading.ts';
import { type LinkedDevice, type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { openedUses } from './opened.ts';

/** SoundInUse. */
export async function soundUses(context: UseContext): Promise<readonly HostUse[]> {
  const { devices } = await context.linked('/sys/class/sound');
  // What of the class cannot be read is told with the openers.
  const found = [
    ...(await openedUses(context, { class: 'sound', nodes: '/dev/snd', kind: 'SoundInUse' })),
  ];
  const cards = devices.filter((card) => /^card\d+$/.test(card.name) && card.targets.length > 0);
  return [...found, ...(await findingsOf(cards, (card) => streamUses(context, card)))];
}

async function streamUses(context: UseContext, card: LinkedDevice): Promise<readonly HostUse[]> {
  const folder = `/proc/asound/${card.name}`;
  const names = await context.names(folder);
  // Absent: a kernel without ALSA's /proc; the openers then tell alone.
  if (!names.known) return isAbsent(names) ? [] : unknownUses(card.targets, card.name, [names]);
  const streams = names.value.filter((name) => /^pcm\d+[pc]$/.test(name));
  return findingsOf(streams, (stream) => partUses(context, card, stream));
}

async function partUses(
  context: UseContext,
  card: LinkedDevice,
  stream: string,
): Promise<readonly HostUse[]> {
  const folder = `/proc/asound/${card.name}/${stream}`;
  const told = `${card.name} ${stream}`;
  const parts = await context.names(folder);
  if (!parts.known) return isAbsent(parts) ? [] : unknownUses(card.targets, told, [parts]);
  const found: HostUse[] = [];
  for (const part of parts.value.filter((name) => /^sub\d+$/.test(name))) {
    const path = `${folder}/${part}/status`;
    const status = await context.text(path);
    if (!status.known) {
      if (!isAbsent(status)) found.push(...unknownUses(card.targets, told, [status]));
    } else if (status.value.trim() !== 'closed') {
      found.push(...usesOf('SoundInUse', card.targets, told, { path, says: status.value }));
    }
  }
  return found;
}
