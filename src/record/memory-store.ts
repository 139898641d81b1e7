// The record store in memory, for the simulation: the same texts and rules as the file store, on a
// "disk" that outlives the agent, with faults asked for at every operation. Refuses to touch a disk.
import { CodedError } from '../base/errors.ts';
import type { GroupRecord } from '../ownership/record.ts';
import type { PciAddress } from '../pci/address.ts';
import { decodeRecord, encodeRecord, leaderOfFileName, recordFileName } from './format.ts';
import type { LoadedRecords, QuarantinedRecord, RecordStore } from './store.ts';

/** What is durable: texts by file name. Make one per simulated node; every agent on it gets a store over it. */
export interface MemoryRecordDisk {
  readonly files: Map<string, string>;
  readonly quarantine: Map<string, string>;
}

/** One place where the world may interfere. */
export interface RecordFaultPoint {
  readonly operation: 'load' | 'save' | 'remove';
  /** null for load. */
  readonly leader: PciAddress | null;
  /** Before anything is durable, or after it is and before the caller hears of it. */
  readonly moment: 'before-durable' | 'after-durable';
}

/**
 * What happens there. `refused`: the disk says no (after-durable: the folder could not be synced nor the
 * file put back, so the new content is in force all the same). `stopped`: the agent is killed here, the
 * operation never answers.
 */
export type RecordFault = 'none' | 'refused' | 'stopped';

/** What a memory store is made from. */
export interface MemoryRecordStoreOptions {
  /** Default: a fresh empty one. */
  readonly disk?: MemoryRecordDisk;
  /** Asked at every point of every operation, in order. Default: no faults. */
  readonly faults?: (point: RecordFaultPoint) => RecordFault;
}

/** A disk with nothing on it. */
export function emptyRecordDisk(): MemoryRecordDisk {
  return { files: new Map(), quarantine: new Map() };
}

function quarantineName(disk: MemoryRecordDisk, name: string): string {
  if (!disk.quarantine.has(name)) return name;
  for (let n = 1; ; n++) {
    if (!disk.quarantine.has(`${name}.${n}`)) return `${name}.${n}`;
  }
}

function loadDisk(disk: MemoryRecordDisk): LoadedRecords {
  const records: GroupRecord[] = [];
  for (const name of [...disk.files.keys()].filter((each) => each.endsWith('.json')).sort()) {
    const text = disk.files.get(name) ?? '';
    const record = decodeRecord(text, name);
    if (record.ok) {
      records.push(record.value);
      continue;
    }
    disk.quarantine.set(quarantineName(disk, name), text);
    disk.files.delete(name);
  }
  return {
    records,
    quarantined: [...disk.quarantine.keys()].sort().map((name) => judged(disk, name)),
  };
}

function judged(disk: MemoryRecordDisk, name: string): QuarantinedRecord {
  const record = decodeRecord(
    disk.quarantine.get(name) ?? '',
    name.replace(/\.json\.\d+$/, '.json'),
  );
  const why = record.ok
    ? 'it was put aside earlier and is readable now: move it back or delete it'
    : record.problem;
  return { path: `quarantine/${name}`, leader: leaderOfFileName(name), why };
}

/** A record store over `disk`. Operations settle within microtasks, in the order they were called. */
export function memoryRecordStore(options: MemoryRecordStoreOptions = {}): RecordStore {
  const disk = options.disk ?? emptyRecordDisk();
  const faults = options.faults ?? (() => 'none' as const);

  const passes = async (point: RecordFaultPoint): Promise<void> => {
    const fault = faults(point);
    if (fault === 'stopped') await new Promise<never>(() => undefined);
    if (fault !== 'refused') return;
    const code = point.operation === 'load' ? 'WG_RECORD_DIR_UNUSABLE' : 'WG_RECORD_WRITE_FAILED';
    const what = `${point.operation} of ${point.leader ?? 'all records'} was refused ${point.moment}`;
    throw new CodedError(code, what, {
      cause: new Error('ENOSPC: no space left on the simulated disk'),
    });
  };
  const operate = async <T>(
    operation: RecordFaultPoint['operation'],
    leader: PciAddress | null,
    act: () => T,
  ): Promise<T> => {
    await passes({ operation, leader, moment: 'before-durable' });
    const result = act();
    await passes({ operation, leader, moment: 'after-durable' });
    return result;
  };

  return {
    load: () => operate('load', null, () => loadDisk(disk)),
    save: (record) => {
      const [name, text] = [recordFileName(record.leader), encodeRecord(record)];
      return operate('save', record.leader, () => void disk.files.set(name, text));
    },
    remove: (leader) =>
      operate('remove', leader, () => void disk.files.delete(recordFileName(leader))),
  };
}
