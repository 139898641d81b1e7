// The record store on a local file system: one durable file per group in a folder of its own. Bad files
// go to quarantine and are reported at every start; they are never repaired, merged or overwritten.
import { constants } from 'node:fs';
import { chmod, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CodedError, errorText } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { GroupRecord } from '../ownership/record.ts';
import type { PciAddress } from '../pci/address.ts';
import {
  type FileCalls,
  isBesideName,
  realFileCalls,
  removeDurably,
  writeDurably,
} from './durable-file.ts';
import {
  decodeRecord,
  encodeRecord,
  leaderOfFileName,
  recordBytesMax,
  recordFileName,
} from './format.ts';
import { listQuarantine, moveToQuarantine } from './quarantine.ts';
import type { LoadedRecords, QuarantinedRecord, RecordStore } from './store.ts';

/** What a file store is made from. */
export interface FileRecordStoreOptions {
  /** The folder; made with mode 0700 when missing. Nobody else may write there, one agent at a time. */
  readonly dir: string;
  readonly log: Log;
  /** The file system; only tests pass another. */
  readonly calls?: FileCalls;
}

/** The text of a regular file. Links, pipes and folders are refused unopened or unread: a pipe would block. */
async function readRecordText(path: string): Promise<Result<string>> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(path, flags);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) return fail('it is not a regular file');
      if (stat.size > recordBytesMax)
        return fail(`it has ${stat.size} bytes; a record has at most ${recordBytesMax}`);
      return ok(new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile()));
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    return fail(`it cannot be read: ${errorText(thrown)}`);
  }
}

class FileRecordStore implements RecordStore {
  readonly #dir: string;
  readonly #log: Log;
  readonly #calls: FileCalls;
  /** The last operation on each file: a later one waits, so that the last save is the one in force. */
  readonly #tails = new Map<string, Promise<void>>();
  /** Unusable files that could not be moved, with the reason: they are not overwritten either. */
  readonly #stuck = new Map<string, string>();

  constructor(options: FileRecordStoreOptions) {
    this.#dir = options.dir;
    this.#log = options.log;
    this.#calls = options.calls ?? realFileCalls;
  }

  async load(): Promise<LoadedRecords> {
    const names = await this.#openFolder();
    const records: GroupRecord[] = [];
    const moved: QuarantinedRecord[] = [];
    for (const name of names.filter((each) => each.endsWith('.json'))) {
      const text = await readRecordText(join(this.#dir, name));
      const record = text.ok ? decodeRecord(text.value, name) : text;
      if (record.ok) records.push(record.value);
      else moved.push(await this.#quarantine(name, record.problem));
    }
    const quarantined = [...moved, ...(await this.#earlierQuarantined(moved))];
    this.#log.info('records loaded', {
      dir: this.#dir,
      records: records.length,
      quarantined: quarantined.length,
    });
    return { records, quarantined };
  }

  save(record: GroupRecord): Promise<void> {
    const path = join(this.#dir, recordFileName(record.leader));
    const text = encodeRecord(record);
    return this.#inTurn(
      path,
      `the record of ${record.leader} could not be made durable in ${this.#dir}`,
      () => {
        const stuck = this.#stuck.get(path);
        if (stuck !== undefined) throw new Error(`an unusable file is in its place: ${stuck}`);
        return writeDurably(this.#calls, path, text);
      },
    );
  }

  remove(leader: PciAddress): Promise<void> {
    const path = join(this.#dir, recordFileName(leader));
    return this.#inTurn(
      path,
      `the record of ${leader} could not be removed from ${this.#dir}`,
      () => removeDurably(this.#calls, path),
    );
  }

  async #inTurn(path: string, failure: string, work: () => Promise<void>): Promise<void> {
    const before = this.#tails.get(path) ?? Promise.resolve();
    const done = before.then(work).catch((thrown: unknown) => {
      throw new CodedError('WG_RECORD_WRITE_FAILED', `${failure}: ${errorText(thrown)}`, {
        cause: thrown,
      });
    });
    const tail = done.catch(() => undefined);
    this.#tails.set(path, tail);
    try {
      await done;
    } finally {
      if (this.#tails.get(path) === tail) this.#tails.delete(path);
    }
  }

  /** Makes the folder when missing, closes it to others, drops what killed writers left; names in order. */
  async #openFolder(): Promise<readonly string[]> {
    try {
      if (await mkdir(this.#dir, { recursive: true, mode: 0o700 })) await chmod(this.#dir, 0o700);
      const names = await readdir(this.#dir);
      for (const name of names.filter(isBesideName)) {
        await unlink(join(this.#dir, name));
        this.#log.info('unfinished record dropped', { path: join(this.#dir, name) });
      }
      return names.filter((name) => !isBesideName(name)).sort();
    } catch (thrown) {
      const message = `the record folder ${this.#dir} cannot be used: ${errorText(thrown)}`;
      throw new CodedError('WG_RECORD_DIR_UNUSABLE', message, { cause: thrown });
    }
  }

  async #quarantine(name: string, why: string): Promise<QuarantinedRecord> {
    const leader = leaderOfFileName(name);
    try {
      const path = await moveToQuarantine(this.#dir, name);
      return { path, leader, why };
    } catch (thrown) {
      const path = join(this.#dir, name);
      const both = `${why}; and it cannot be moved to quarantine: ${errorText(thrown)}`;
      this.#stuck.set(path, both);
      return { path, leader, why: both };
    }
  }

  /** What earlier starts put aside, judged again by this version so that the reason is today's. */
  async #earlierQuarantined(
    moved: readonly QuarantinedRecord[],
  ): Promise<readonly QuarantinedRecord[]> {
    const movedNow = new Set(moved.map((each) => each.path));
    const found: QuarantinedRecord[] = [];
    for (const path of await this.#quarantinePaths()) {
      if (movedNow.has(path)) continue;
      const why = await judgeQuarantined(path);
      const leader = leaderOfFileName(basename(path));
      found.push({ path, leader, why });
    }
    return found;
  }

  async #quarantinePaths(): Promise<readonly string[]> {
    try {
      return await listQuarantine(this.#dir);
    } catch (thrown) {
      const message = `the quarantine of ${this.#dir} cannot be listed: ${errorText(thrown)}`;
      throw new CodedError('WG_RECORD_DIR_UNUSABLE', message, { cause: thrown });
    }
  }
}

async function judgeQuarantined(path: string): Promise<string> {
  const text = await readRecordText(path);
  if (!text.ok) return text.problem;
  const record = decodeRecord(text.value, basename(path).replace(/\.json\.\d+$/, '.json'));
  return record.ok
    ? 'it was put aside earlier and is readable now: move it back or delete it'
    : record.problem;
}

/** A record store in `dir`. Nothing is read or made before load(). */
export function fileRecordStore(options: FileRecordStoreOptions): RecordStore {
  return new FileRecordStore(options);
}
