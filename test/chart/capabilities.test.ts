// The capabilities that the chart gives to the agent: each is taken away from a process on this very machine, and what
// it cannot see any more is told. Needs root; reads /proc alone.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { chartFolder } from './helm.ts';

const values = parse(readFileSync(join(chartFolder, 'values.yaml'), 'utf8')) as {
  readonly agent: { readonly capabilities: readonly string[] };
};
const given = values.agent.capabilities;

/** Bits in the mask of /proc/self/status (include/uapi/linux/capability.h). */
const bits: Readonly<Record<string, bigint>> = {
  DAC_READ_SEARCH: 2n,
  SYS_PTRACE: 19n,
  SYS_ADMIN: 21n,
};

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'only root can give capabilities up one by one';
  const [, mask = '0'] = /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const lacking = given.filter((name) => ((BigInt(`0x${mask}`) >> (bits[name] ?? 0n)) & 1n) === 0n);
  return lacking.length === 0 ? false : `this process has no ${lacking.join(', ')} itself`;
}

const skip = whyNot();

/** What a process with only these capabilities sees of another user's process, of root's, and of memory. */
const look = `
const fs = require('node:fs');
const [mine, other] = process.argv.slice(1);
const files = (pid) => { try { return fs.readdirSync('/proc/' + pid + '/fd').map((fd) => fs.readlinkSync('/proc/' + pid + '/fd/' + fd)).length > 0; } catch (e) { return e.code; } };
const iomem = fs.readFileSync('/proc/iomem', 'utf8').split('\\n').some((line) => /^\\s*[0-9a-f]*[1-9a-f][0-9a-f]* ?-|-[0-9a-f]*[1-9a-f]/.test(line));
console.log(JSON.stringify({ root: files(mine), other: files(other), addresses: iomem }));
`;

/** setpriv's word for a list of capabilities. */
function set(names: readonly string[]): string {
  return ['-all', ...names.map((name) => `+${name.toLowerCase()}`)].join(',');
}

describe('without a capability the agent sees less', { skip }, () => {
  const processes: ReturnType<typeof spawn>[] = [];
  const pids: string[] = [];
  before(async () => {
    processes.push(spawn('sleep', ['60']));
    processes.push(spawn('setpriv', ['--reuid=65534', '--clear-groups', 'sleep', '60']));
    pids.push(...processes.map(({ pid }) => String(pid)));
    // setpriv becomes another user's process a moment after it was started.
    await new Promise((resolve) => setTimeout(resolve, 300));
  });
  after(() => processes.forEach((each) => each.kill()));

  const seenWith = (names: readonly string[]): unknown => {
    const args = [`--bounding-set=${set(names)}`, process.execPath, '-e', look, ...pids];
    const { status, stdout, stderr } = spawnSync('setpriv', args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };

  test(`with ${given.join(', ')} everything is seen`, () => {
    assert.deepEqual(seenWith(given), { root: true, other: true, addresses: true });
  });

  for (const [name, seen] of [
    ['SYS_PTRACE', { root: 'EACCES', other: 'EACCES', addresses: true }],
    ['DAC_READ_SEARCH', { root: true, other: 'EACCES', addresses: true }],
    ['SYS_ADMIN', { root: true, other: true, addresses: false }],
  ] as const) {
    test(`without ${name}: ${JSON.stringify(seen)}`, () => {
      assert.ok(given.includes(name));
      assert.deepEqual(seenWith(given.filter((each) => each !== name)), seen);
    });
  }

  test('every capability that is given was taken away here', () => {
    assert.deepEqual([...given].sort(), ['DAC_READ_SEARCH', 'SYS_ADMIN', 'SYS_PTRACE']);
  });
});
