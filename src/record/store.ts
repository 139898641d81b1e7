// The record store as the agent sees it: one durable record per group.
import type { GroupRecord } from '../ownership/record.ts';
import type { PciAddress } from '../pci/address.ts';

/** A file that could not be used and was moved aside: its group is Faulted, never forgotten. */
export interface QuarantinedRecord {
  /** Where the file is now. */
  readonly path: string;
  /** Leader told by the file's name, when it tells. */
  readonly leader: PciAddress | null;
  readonly why: string;
}

/** Everything found at start. */
export interface LoadedRecords {
  readonly records: readonly GroupRecord[];
  readonly quarantined: readonly QuarantinedRecord[];
}

/** Durable storage of group records. */
export interface RecordStore {
  /** Reads every record; unreadable, newer or foreign files go to quarantine and are reported (each start again). */
  load(): Promise<LoadedRecords>;
  /**
   * Makes `record` durable: when this resolves, file and folder are synced. Throws CodedError
   * WG_RECORD_WRITE_FAILED (disk full, read-only) and then the earlier record is still the one in force.
   */
  save(record: GroupRecord): Promise<void>;
  /** Removes the record of a group, durably. Idempotent. Throws as save does. */
  remove(leader: PciAddress): Promise<void>;
}
