import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PciAddress } from '../../src/pci/address.ts';
import {
  canonicalJson,
  decodeRecord,
  encodeRecord,
  leaderOfFileName,
  recordFileName,
} from '../../src/record/format.ts';
import { address, gpuRecord } from './records.ts';

const name = '0000-65-00-0.json';
type Envelope = {
  format: unknown;
  version: unknown;
  checksum: unknown;
  record: Record<string, unknown>;
};

function changed(change: (envelope: Envelope) => void): string {
  const envelope = JSON.parse(encodeRecord(gpuRecord())) as Envelope;
  change(envelope);
  return JSON.stringify(envelope);
}

/** A file with a right checksum over a record that a writer of ours would never make. */
function forged(change: object): string {
  return encodeRecord({ ...gpuRecord(), ...change });
}

const member = gpuRecord().members[0];
const refusals: Record<string, [text: string, why: RegExp]> = {
  'an empty file': ['', /the file is empty/],
  'a file of zero bytes': ['\0\0\0\0', /not JSON/],
  'a file cut short': [
    encodeRecord(gpuRecord()).slice(0, -40),
    /not JSON \(cut short or overwritten\)/,
  ],
  'a JSON list': ['[]', /not an object/],
  'JSON null': ['null', /not an object/],
  "another program's format": [
    changed((e) => (e.format = 'other')),
    /format is "other".*another program's file/,
  ],
  'no format': ['{}', /format is undefined/],
  'a newer version': [
    changed((e) => (e.version = 2)),
    /version 2 was written by a newer wholegroup; this one reads up to 1/,
  ],
  'version zero': [changed((e) => (e.version = 0)), /version is 0, not a whole number from 1/],
  'a version as text': [changed((e) => (e.version = '1')), /version is "1"/],
  'a field beside the record': [
    changed((e) => Object.assign(e, { note: 'x' })),
    /unknown field "note"/,
  ],
  'a record edited by hand': [
    changed((e) => (e.record['phase'] = 'Returning')),
    /checksum is not that of the record/,
  ],
  'a field slipped into the record': [
    changed((e) => (e.record['x'] = 1)),
    /checksum is not that of the record/,
  ],
  'no checksum': [changed((e) => delete e.checksum), /checksum is not that of the record/],
  'no record': [changed((e) => Reflect.deleteProperty(e, 'record')), /there is no record in it/],
  'an unknown field with a right checksum': [forged({ extra: 1 }), /extra/],
  'a phase there is not': [forged({ phase: 'Sleeping' }), /record\.phase/],
  'a leader that is no address': [
    forged({ leader: '65:00.0' }),
    /record\.leader: must be a PCI address/,
  ],
  'a leader that is no member': [
    forged({ leader: '0000:66:00.0' }),
    /record\.leader: is not the address of a member/,
  ],
  'no members': [forged({ members: [] }), /record\.members/],
  'a member twice': [
    forged({ members: [member, member] }),
    /record\.members: names one address twice/,
  ],
  'a member that the key does not name': [
    forged({ key: '0000:65:00.0' }),
    /record\.key: does not name the member 0000:65:00\.1/,
  ],
  'an upper-case id': [
    forged({ members: [{ ...member, vendor: '10DE' }] }),
    /four lower-case hex digits/,
  ],
  'a time without a zone': [
    forged({ lease: { since: '2026-11-23T05:17:08', pod: null } }),
    /record\.lease\.since/,
  ],
  'a negative group number': [forged({ groupNumber: -1 }), /record\.groupNumber/],
  'resetDue left out': [forged({ resetDue: undefined }), /record\.resetDue/],
  'a relative device node': [
    forged({ answer: { delivery: 'device-nodes', access: 'Group', deviceNodes: ['vfio/17'] } }),
    /record\.answer\.deviceNodes\.0/,
  ],
};

for (const [sentence, [text, why]] of Object.entries(refusals)) {
  test(`a record file is refused: ${sentence}`, () => {
    const result = decodeRecord(text, name);
    assert.equal(result.ok, false);
    assert.match(result.ok ? '' : result.problem, why);
  });
}

test('a record under the name of another leader is refused, both are named', () => {
  const result = decodeRecord(encodeRecord(gpuRecord()), '0000-66-00-0.json');
  assert.match(
    result.ok ? '' : result.problem,
    /named 0000-66-00-0\.json but holds the record of 0000:65:00\.0/,
  );
});

test('the order of keys and the white space of a file do not matter, as an editor may change them', () => {
  const envelope = JSON.parse(encodeRecord(gpuRecord())) as Envelope;
  const record = Object.fromEntries(Object.entries(envelope.record).reverse());
  const text = JSON.stringify({
    record,
    checksum: envelope.checksum,
    version: 1,
    format: 'wholegroup.record',
  });
  assert.deepEqual(decodeRecord(text, name), { ok: true, value: gpuRecord() });
});

test('any change of one character of the text is refused or changes nothing', () => {
  const text = encodeRecord(gpuRecord());
  fc.assert(
    fc.property(
      fc.nat(text.length - 1),
      fc.string({ unit: 'grapheme', minLength: 0, maxLength: 2 }),
      (at, put) => {
        const damaged = text.slice(0, at) + put + text.slice(at + 1);
        const result = decodeRecord(damaged, name);
        if (result.ok) assert.deepEqual(result.value, gpuRecord());
      },
    ),
    { numRuns: 2000 },
  );
});

test('every file name of a leader tells that leader, in place and in quarantine', () => {
  const domain = fc.oneof(
    fc.integer({ min: 0, max: 0xffff }),
    fc.integer({ min: 0x10000, max: 0xffffffff }),
  );
  const part = (max: number) => fc.integer({ min: 0, max });
  fc.assert(
    fc.property(
      fc.tuple(domain, part(255), part(31), part(7)),
      fc.nat(99),
      ([d, bus, slot, fn], n) => {
        const hex = (value: number, digits: number): string =>
          value.toString(16).padStart(digits, '0');
        const leader = address(`${hex(d, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${fn}`);
        assert.equal(leaderOfFileName(recordFileName(leader)), leader);
        assert.equal(leaderOfFileName(`${recordFileName(leader)}.${n}`), leader);
      },
    ),
  );
  const others = [
    'a.json',
    '0000-65-00-0',
    '0000-65-00-8.json',
    '0000-65-00-0.json.bak',
    '.0000-65-00-0.json.new',
  ];
  for (const other of others) assert.equal(leaderOfFileName(other), null, other);
});

test('names of different leaders differ, also when domains are longer', () => {
  const names = ['0000:65:00.0', '00000:65:00.0', '10000:65:00.0', '0000:65:01.0'].map((each) =>
    recordFileName(each as PciAddress),
  );
  assert.equal(new Set(names).size, names.length);
});

test('canonical JSON is the same for equal data and reads back as that data', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(JSON.parse(text)), text);
    }),
  );
  assert.equal(
    canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined }),
    '{"b":[1,{"c":"x","d":null}]}',
  );
});
