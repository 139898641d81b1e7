// What every record store keeps, whatever it stands on. Run once for each implementation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordStore } from '../../src/record/store.ts';
import { address, gpuRecord } from './records.ts';

/** One durable place: stores made over it one after the other see what the earlier ones left. */
export interface Ground {
  open(): RecordStore;
  /** Puts a text where the record file of that name would be. */
  plant(fileName: string, text: string): Promise<void>;
  /** Text of the record file of that name, or null. */
  text(fileName: string): Promise<string | null>;
}

export function recordStoreContract(what: string, ground: () => Promise<Ground>): void {
  const contract = (sentence: string, run: (ground: Ground) => Promise<void>): void => {
    test(`${what}: ${sentence}`, async () => run(await ground()));
  };

  contract('a fresh place holds no records and nothing in quarantine', async (place) => {
    assert.deepEqual(await place.open().load(), { records: [], quarantined: [] });
  });

  contract('a saved record is read back by the next agent, field by field', async (place) => {
    const bare = gpuRecord('0000:04:00', {
      lease: null,
      answer: null,
      nodeOwner: null,
      resetDue: false,
    });
    const first = place.open();
    await first.load();
    await first.save(gpuRecord());
    await first.save(bare);
    const { records, quarantined } = await place.open().load();
    assert.deepEqual(records, [bare, gpuRecord()]);
    assert.deepEqual(quarantined, []);
  });

  contract('saving again replaces the record', async (place) => {
    const store = place.open();
    await store.load();
    await store.save(gpuRecord());
    await store.save(gpuRecord('0000:65:00', { phase: 'Returning', lease: null }));
    const { records } = await place.open().load();
    assert.deepEqual(records, [gpuRecord('0000:65:00', { phase: 'Returning', lease: null })]);
  });

  contract('of two saves at once the later one is in force', async (place) => {
    const store = place.open();
    await store.load();
    const phases = ['Claiming', 'Claimed', 'Assigned', 'Returning', 'Claimed'] as const;
    await Promise.all(phases.map((phase) => store.save(gpuRecord('0000:65:00', { phase }))));
    const { records } = await place.open().load();
    assert.deepEqual(records, [gpuRecord('0000:65:00', { phase: 'Claimed' })]);
  });

  contract('a save and a remove at once end as removed', async (place) => {
    const store = place.open();
    await store.load();
    await Promise.all([store.save(gpuRecord()), store.remove(address('0000:65:00.0'))]);
    assert.deepEqual((await place.open().load()).records, []);
  });

  contract('remove is durable, touches no other record, and may be repeated', async (place) => {
    const store = place.open();
    await store.load();
    await store.save(gpuRecord());
    await store.save(gpuRecord('0000:04:00'));
    await store.remove(address('0000:65:00.0'));
    await store.remove(address('0000:65:00.0'));
    assert.deepEqual((await place.open().load()).records, [gpuRecord('0000:04:00')]);
  });

  contract(
    'what a save was given may change afterwards without changing the record',
    async (place) => {
      const store = place.open();
      await store.load();
      const record = { ...gpuRecord() };
      const saved = store.save(record);
      record.phase = 'Returning';
      await saved;
      assert.equal((await place.open().load()).records[0]?.phase, 'Assigned');
    },
  );

  contract(
    'a bad file is put aside, named by its leader, and reported at every start',
    async (place) => {
      const store = place.open();
      await store.load();
      await store.save(gpuRecord());
      await store.save(gpuRecord('0000:04:00'));
      await place.plant('0000-65-00-0.json', '{"format":');
      for (const start of ['first', 'second', 'third']) {
        const { records, quarantined } = await place.open().load();
        assert.deepEqual(records, [gpuRecord('0000:04:00')], start);
        assert.equal(quarantined.length, 1, start);
        assert.equal(quarantined[0]?.leader, '0000:65:00.0');
        assert.match(quarantined[0]?.why ?? '', /not JSON \(cut short or overwritten\)/);
        assert.match(quarantined[0]?.path ?? '', /quarantine\/0000-65-00-0\.json$/);
      }
      assert.equal(await place.text('0000-65-00-0.json'), null);
    },
  );

  contract('a second bad file of the same name does not overwrite the first', async (place) => {
    await place.open().load();
    for (const text of ['first', 'second', 'third']) {
      await place.plant('0000-65-00-0.json', text);
      await place.open().load();
    }
    const { quarantined } = await place.open().load();
    assert.deepEqual(
      quarantined.map((each) => [each.path.split('/').at(-1), each.leader]),
      [
        ['0000-65-00-0.json', '0000:65:00.0'],
        ['0000-65-00-0.json.1', '0000:65:00.0'],
        ['0000-65-00-0.json.2', '0000:65:00.0'],
      ],
    );
  });

  contract('a group can be taken anew beside its quarantined record', async (place) => {
    await place.open().load();
    await place.plant('0000-65-00-0.json', 'damaged');
    const store = place.open();
    await store.load();
    await store.save(gpuRecord());
    const { records, quarantined } = await place.open().load();
    assert.deepEqual(records, [gpuRecord()]);
    assert.equal(quarantined.length, 1);
  });
}
