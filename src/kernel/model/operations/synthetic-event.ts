// Writes to the `uevent` file of a function (lib/kobject_uevent.c, kobject_synth_uevent).
import type { Settled } from '../../fs.ts';
import type { Machine } from '../machine.ts';
import type { PciDevice } from '../objects/pci-device.ts';
import { errno, value } from './answers.ts';
import { pciEvent } from './events.ts';

const actions: ReadonlySet<string> = new Set([
  'add',
  'remove',
  'change',
  'move',
  'online',
  'offline',
  'bind',
  'unbind',
]);
const uuidForm = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

/** The extra keys of `ACTION UUID [KEY=VALUE …]`; null: not of the form. */
function extraKeys(words: readonly string[]): (readonly [string, string])[] | null {
  const [uuid, ...pairs] = words;
  if (uuid === undefined) return [['SYNTH_UUID', '0']];
  if (!uuidForm.test(uuid)) return null;
  const keys: (readonly [string, string])[] = [['SYNTH_UUID', uuid]];
  for (const pair of pairs) {
    const match = /^([0-9A-Za-z]+)=([0-9A-Za-z]+)$/.exec(pair);
    if (match === null) return null;
    keys.push([`SYNTH_ARG_${match[1]}`, match[2] as string]);
  }
  return keys;
}

/** Sends the event that the text asks for. */
export function writeUevent(machine: Machine, device: PciDevice, data: string): Settled<number> {
  const text = /[\n\0]$/.test(data) ? data.slice(0, -1) : data;
  const [action = '', ...words] = text.split(' ');
  const keys = actions.has(action) ? extraKeys(words) : null;
  if (keys === null) return errno('EINVAL');
  pciEvent(machine, device, action, keys);
  return value(data.length);
}
