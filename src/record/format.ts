// The text of one record file: canonical JSON in an envelope with format, version and checksum. Pure
// functions over text; refuses everything that is not exactly what this version or an older one wrote.
import { createHash } from 'node:crypto';
import { fail, ok, type Result } from '../base/result.ts';
import type { GroupRecord } from '../ownership/record.ts';
import { isPciAddress, type PciAddress } from '../pci/address.ts';
import { groupRecordSchema } from './schema.ts';

/**
 * The version this code writes. It reads this one and, through one upgrade function per step, all older ones.
 *
 * The schema is strict, so no change of a record's shape is compatible by itself: a new field, a new value of
 * a closed list, a new meaning of an old field each take the next version and an upgrade from the one before.
 * Compatible without a new version: stricter or looser wording of messages, order of keys, white space.
 * An older agent that meets a newer version puts the file into quarantine, so a version step belongs in the
 * changelog: going back over it is only possible while no group is taken.
 */
const recordVersion = 1;

const recordFormat = 'wholegroup.record';

/** No honest record comes near this: 64 KiB for the largest groups seen (some hundred members). */
export const recordBytesMax = 1024 * 1024;

/** JSON with the keys of every object in code unit order and no white space: equal data, equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value);
}

function checksumOf(record: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(record)).digest('hex')}`;
}

/** Name of the record file of a group: the leader's address with `-` for `:` and `.` (`0000-65-00-0.json`). */
export function recordFileName(leader: PciAddress): string {
  return `${leader.replaceAll(/[:.]/g, '-')}.json`;
}

/** The leader that a record file's name tells (a quarantined one's too), or null when it tells none. */
export function leaderOfFileName(name: string): PciAddress | null {
  const parts = /^([0-9a-f]{4,8})-([0-9a-f]{2})-([0-9a-f]{2})-([0-7])\.json(\.\d+)?$/.exec(name);
  if (parts === null) return null;
  const address = `${parts[1]}:${parts[2]}:${parts[3]}.${parts[4]}`;
  return isPciAddress(address) ? address : null;
}

/** The file text of a record. */
export function encodeRecord(record: GroupRecord): string {
  const envelope = {
    format: recordFormat,
    version: recordVersion,
    checksum: checksumOf(record),
    record,
  };
  return `${JSON.stringify(envelope, null, 2)}\n`;
}

function parseJson(text: string): Result<Readonly<Record<string, unknown>>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail(
      text.trim() === '' ? 'the file is empty' : 'the text is not JSON (cut short or overwritten)',
    );
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return fail('the text is JSON but not an object');
  }
  return ok(value as Readonly<Record<string, unknown>>);
}

const envelopeKeys = new Set(['format', 'version', 'checksum', 'record']);

/** Judges the envelope: whose file it is, how new, and whether the record arrived whole. */
function openEnvelope(text: string): Result<unknown> {
  const json = parseJson(text);
  if (!json.ok) return json;
  const { format, version, checksum, record } = json.value;
  if (format !== recordFormat) {
    return fail(
      `format is ${JSON.stringify(format)}, not "${recordFormat}": another program's file`,
    );
  }
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    return fail(`version is ${JSON.stringify(version)}, not a whole number from 1`);
  }
  if (version > recordVersion) {
    return fail(
      `version ${version} was written by a newer wholegroup; this one reads up to ${recordVersion}`,
    );
  }
  const foreign = Object.keys(json.value).find((key) => !envelopeKeys.has(key));
  if (foreign !== undefined) return fail(`unknown field "${foreign}" beside the record`);
  if (record === undefined) return fail('there is no record in it');
  if (checksum !== checksumOf(record)) {
    return fail('the checksum is not that of the record: the file was damaged or edited by hand');
  }
  return ok(record);
}

/** Reads the text of the file called `fileName`; the problem names what is wrong and where. */
export function decodeRecord(text: string, fileName: string): Result<GroupRecord> {
  const content = openEnvelope(text);
  if (!content.ok) return content;
  const parsed = groupRecordSchema.safeParse(content.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return fail(
      `record.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not of the allowed form'}`,
    );
  }
  if (recordFileName(parsed.data.leader) !== fileName) {
    return fail(`the file is named ${fileName} but holds the record of ${parsed.data.leader}`);
  }
  return ok(parsed.data);
}
