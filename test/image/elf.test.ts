// The program that goes into the image: what it needs is found, and without its debug information it runs as before.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { needsOf, withoutDebugInformation } from '../../scripts/image/elf.ts';

const folder = mkdtempSync(join(tmpdir(), 'wholegroup-elf-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const node = readFileSync(process.execPath);

test('Node.js asks for a loader and for libraries of C and C++', () => {
  const { interpreter, libraries } = needsOf(node);
  assert.match(interpreter ?? '', /^\/lib(64)?\/ld-linux-/);
  for (const name of ['libc.so.6', 'libm.so.6', 'libstdc++.so.6', 'libgcc_s.so.1'])
    assert.ok(libraries.includes(name), name);
});

test('without debug information it is smaller, needs the same, and runs', () => {
  const small = withoutDebugInformation(node);
  assert.ok(small.length < node.length, `${small.length} of ${node.length} bytes`);
  assert.deepEqual(needsOf(small), needsOf(node));
  const path = join(folder, 'node');
  writeFileSync(path, small, { mode: 0o755 });
  // With what an add-on would ask for, and a stack trace.
  const program = `try { null.x } catch (e) { console.log(e.stack.includes('[eval]'), process.version) }`;
  const { status, stdout, stderr } = spawnSync(path, ['-e', program], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.equal(stdout, `true ${process.version}\n`);
});

test('what is no ELF file is refused', () => {
  assert.throws(() => needsOf(Buffer.from('#!/bin/sh\n'.repeat(20))), /not a 64-bit/);
  assert.throws(() => needsOf(Buffer.alloc(3)), /not a 64-bit/);
});
