// What an image must know of a program: which interpreter and libraries it asks for, and which of its bytes nobody
// needs to run it. 64-bit little-endian ELF alone (elf(5)); refuses everything else.

/** What the loader must find before a program can run. */
export interface Needs {
  /** The loader itself: `/lib64/ld-linux-x86-64.so.2`; null for a library. */
  readonly interpreter: string | null;
  /** Names of libraries: `libc.so.6`. */
  readonly libraries: readonly string[];
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
}

const segmentTypes = { load: 1, dynamic: 2, interpreter: 3 } as const;
const dynamicTags = { end: 0, needed: 1, names: 5 } as const;
/** Places in the header of the file. */
const header = {
  ...{ bytes: 64, segmentsAt: 0x20, sectionsAt: 0x28 },
  ...{ segmentBytes: 0x36, segmentCount: 0x38, sectionCount: 0x3c, sectionNames: 0x3e },
} as const;
const identity = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);

function numberAt(file: Buffer, at: number): number {
  return Number(file.readBigUInt64LE(at));
}

function segments(file: Buffer): readonly Segment[] {
  if (file.length < header.bytes || !file.subarray(0, identity.length).equals(identity)) {
    throw new Error('not a 64-bit little-endian ELF file');
  }
  const start = numberAt(file, header.segmentsAt);
  const bytes = file.readUInt16LE(header.segmentBytes);
  return Array.from({ length: file.readUInt16LE(header.segmentCount) }, (_, index) => {
    const at = start + index * bytes;
    return {
      type: file.readUInt32LE(at),
      offset: numberAt(file, at + 0x08),
      address: numberAt(file, at + 0x10),
      bytes: numberAt(file, at + 0x20),
    };
  });
}

function textAt(file: Buffer, at: number): string {
  return file.toString('latin1', at, file.indexOf(0, at));
}

function dynamicEntries(file: Buffer, segment: Segment): readonly (readonly [number, number])[] {
  const entries: (readonly [number, number])[] = [];
  for (let at = segment.offset; at < segment.offset + segment.bytes; at += 16) {
    const tag = numberAt(file, at);
    if (tag === dynamicTags.end) break;
    entries.push([tag, numberAt(file, at + 8)]);
  }
  return entries;
}

/** What a program or library asks the loader for. */
export function needsOf(file: Buffer): Needs {
  const all = segments(file);
  const ofType = (type: number): Segment | undefined => all.find((each) => each.type === type);
  const interpreter = ofType(segmentTypes.interpreter);
  const dynamic = ofType(segmentTypes.dynamic);
  const entries = dynamic === undefined ? [] : dynamicEntries(file, dynamic);
  const namesAddress = entries.find(([tag]) => tag === dynamicTags.names)?.[1] ?? 0;
  const holder = all.find(
    ({ type, address, bytes }) =>
      type === segmentTypes.load && address <= namesAddress && namesAddress < address + bytes,
  );
  const namesAt = holder === undefined ? 0 : namesAddress - holder.address + holder.offset;
  return {
    interpreter: interpreter === undefined ? null : textAt(file, interpreter.offset),
    libraries: entries
      .filter(([tag]) => tag === dynamicTags.needed)
      .map(([, offset]) => textAt(file, namesAt + offset)),
  };
}

/**
 * The file without what is never loaded: symbols and debug information behind the last segment, and the table of
 * sections that names them. The loader reads segments alone, and symbols for add-ons are in one of them.
 */
export function withoutDebugInformation(file: Buffer): Buffer {
  const end = Math.max(...segments(file).map(({ offset, bytes }) => offset + bytes));
  const kept = Buffer.from(file.subarray(0, end));
  kept.writeBigUInt64LE(0n, header.sectionsAt);
  kept.writeUInt16LE(0, header.sectionCount);
  kept.writeUInt16LE(0, header.sectionNames);
  return kept;
}
