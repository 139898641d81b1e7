import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mailbox } from '../../src/base/mailbox.ts';

test('messages come out in the order in which they were put in', async () => {
  const box = new Mailbox<number>(3);
  assert.ok(box.post(1) && box.post(2));
  assert.equal(await box.take(), 1);
  assert.equal(await box.take(), 2);
});

test('a full mailbox says so and takes nothing', async () => {
  const box = new Mailbox<number>(1);
  assert.equal(box.post(1), true);
  assert.equal(box.post(2), false);
  assert.equal(await box.take(), 1);
  assert.equal(box.length, 0);
});

test('a consumer that waits gets the next message', async () => {
  const box = new Mailbox<string>(1);
  const next = box.take();
  box.post('x');
  assert.equal(await next, 'x');
});

test('a closed mailbox hands out what waits and then null', async () => {
  const box = new Mailbox<number>(2);
  box.post(1);
  box.close();
  assert.equal(box.post(2), false);
  assert.equal(await box.take(), 1);
  assert.equal(await box.take(), null);
});

test('closing wakes a consumer that waits', async () => {
  const box = new Mailbox<number>(2);
  const next = box.take();
  box.close();
  assert.equal(await next, null);
});
