// A model of a bundled machine or of a topology text, and short ways to its files.
import assert from 'node:assert/strict';
import { VirtualClock } from '../../../src/base/virtual-clock.ts';
import { KernelModel } from '../../../src/kernel/model/kernel-model.ts';
import type { MachineSpec } from '../../../src/kernel/model/spec.ts';
import { bundledTopology, isBundledTopology } from '../../../src/kernel/model/topology-bundled.ts';
import { parseTopology } from '../../../src/kernel/model/topology.ts';

export interface Files {
  readonly model: KernelModel;
  /** Text of a file, or the errno. */
  readonly text: (path: string) => Promise<string>;
  /** Names, sorted; or the errno alone. */
  readonly names: (path: string) => Promise<string[]>;
  /** Text of a link, or the errno. */
  readonly link: (path: string) => Promise<string>;
  readonly write: (path: string, data: string) => Promise<string>;
}

/** A machine by bundled name, or from the text of a topology, with another profile where one is named. */
export function machine(nameOrText: string, profile?: MachineSpec['profile']): Files {
  let spec: MachineSpec;
  if (isBundledTopology(nameOrText)) spec = bundledTopology(nameOrText);
  else {
    const parsed = parseTopology(nameOrText, 'test');
    assert.ok(parsed.ok, parsed.ok ? '' : JSON.stringify(parsed.problem));
    spec = parsed.value;
  }
  const clock = new VirtualClock();
  const given = profile === undefined ? spec : { ...spec, profile, release: null };
  const model = new KernelModel({ spec: given, clock });
  return {
    model,
    text: async (path) => {
      const got = await model.read(path);
      if (got.kind === 'value') return Buffer.from(got.value).toString('utf8');
      return got.kind === 'errno' ? got.errno : got.kind;
    },
    names: async (path) => {
      const got = await model.list(path);
      return got.kind === 'value' ? [...got.value].sort() : [got.kind === 'errno' ? got.errno : ''];
    },
    link: async (path) => {
      const got = await model.readLink(path);
      return got.kind === 'value' ? got.value : got.kind === 'errno' ? got.errno : got.kind;
    },
    write: async (path, data) => {
      const writing = model.write(path, data, { deadlineMs: 3_600_000 });
      const over = new AbortController();
      void writing.then(() => over.abort());
      while (!over.signal.aborted) {
        await new Promise(setImmediate);
        if (!over.signal.aborted) clock.fireNext(clock.monotonicMs() + 60_000);
      }
      const got = await writing;
      return got.kind === 'errno' ? got.errno : got.kind;
    },
  };
}
