import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { logEvents } from '../../src/observe/events.ts';
import { createLog, type LogLevel } from '../../src/observe/log.ts';
import { prettyLine } from '../../src/observe/pretty.ts';

function lines(
  level: LogLevel,
  pretty?: { colour: boolean },
): { log: ReturnType<typeof createLog>; written: string[] } {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  return {
    log: createLog({ level, destination, ...(pretty === undefined ? {} : { pretty }) }),
    written,
  };
}

test('a line is one JSON object with level, time, event and fields, and nothing about the machine', () => {
  const { log, written } = lines('info');
  log.warn('step pending', { leader: '0000:65:00.0', step: 'unbind' });
  assert.equal(written.length, 1);
  const { time, ...line } = JSON.parse(written[0] ?? '') as Record<string, unknown>;
  assert.deepEqual(line, {
    level: 'warn',
    msg: 'step pending',
    leader: '0000:65:00.0',
    step: 'unbind',
  });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('lines below the level are not written, and silent writes nothing', () => {
  for (const [level, count] of [
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['silent', 0],
  ] as const) {
    const { log, written } = lines(level);
    for (const at of ['debug', 'info', 'warn', 'error'] as const) log[at]('records loaded');
    assert.equal(written.length, count, level);
  }
});

test('what was thrown is written with its message and stack', () => {
  const { log, written } = lines('info');
  log.error('kubelet-handler-threw', { rpc: 'Allocate', thrown: new TypeError('x is not y') });
  const line = JSON.parse(written[0] ?? '') as {
    thrown: { type: string; message: string; stack: string };
  };
  assert.equal(line.thrown.message, 'x is not y');
  assert.match(line.thrown.stack, /log\.test\.ts/);
});

test('values that JSON cannot hold do not lose the line', () => {
  const { log, written } = lines('info');
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  log.info('records loaded', { circle, big: 10n, nothing: undefined });
  assert.equal((JSON.parse(written[0] ?? '') as { msg: string }).msg, 'records loaded');
});

test('a line for people has time, level, event and fields; texts with spaces are quoted', () => {
  const { log, written } = lines('info', { colour: false });
  log.info('group phase changed', {
    leader: '0000:65:00.0',
    to: 'Claimed',
    why: 'a pod came',
    count: 2,
    pod: null,
  });
  assert.match(
    written[0] ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} info  group phase changed leader=0000:65:00\.0 to=Claimed why="a pod came" count=2 pod=null\n$/,
  );
});

test('colour is only put in where it was asked for, and a line that is not JSON passes unchanged', () => {
  const json = '{"level":"error","time":"2026-11-23T05:17:08.123Z","msg":"x"}\n';
  assert.equal(prettyLine(json, true).includes('\u001b[31m'), true);
  assert.equal(prettyLine(json, false).includes('\u001b'), false);
  assert.equal(prettyLine('rubbish\n', false), 'rubbish\n');
});

test('lines that wait are written when the process exits by itself', () => {
  const script = `
    const { createLog } = await import('${new URL('../../src/observe/log.ts', import.meta.url).href}');
    const log = createLog({ level: 'info', destination: 2 });
    for (let n = 0; n < 500; n++) log.info('records loaded', { n });
    process.exit(3);`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.equal(child.status, 3);
  assert.equal(child.stderr.trim().split('\n').length, 500);
});

test('every entry of the catalogue of events is worded alike', () => {
  for (const [name, entry] of Object.entries(logEvents)) {
    assert.match(name, /^[a-z][a-z0-9]*([ -][a-z0-9]+)+$/, name);
    assert.match(entry.meaning, /^[A-Z].*\.$/, name);
    for (const field of entry.fields) assert.match(field, /^[a-z][A-Za-z]*$/, `${name}: ${field}`);
  }
});
