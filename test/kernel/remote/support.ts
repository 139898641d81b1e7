// A served machine and clients on a real socket in a folder of its own, on real time.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { KernelModel } from '../../../src/kernel/model/kernel-model.ts';
import { serveKernel, type ServedKernel } from '../../../src/kernel/model/serve.ts';
import {
  bundledTopology,
  type BundledTopologyName,
} from '../../../src/kernel/model/topology-bundled.ts';
import { connectControl, type RemoteControl } from '../../../src/kernel/remote/remote-control.ts';
import { connectKernel, type RemoteKernel } from '../../../src/kernel/remote/remote-kernel.ts';
import { realClock } from '../../../src/observe/real-clock.ts';
import { logOf } from './log.ts';

export interface Bench {
  readonly folder: string;
  readonly socketPath: string;
  readonly model: KernelModel;
  readonly served: ServedKernel;
  readonly kernel: RemoteKernel;
  readonly control: RemoteControl;
  readonly logged: readonly { readonly event: string; readonly fields: Record<string, unknown> }[];
}

/** Everything is closed and removed when the test is over. */
export async function bench(
  t: TestContext,
  machine: BundledTopologyName = 'transcripts',
  devices = false,
): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'sim-'));
  const socketPath = join(folder, 'kernel.sock');
  const model = new KernelModel({ spec: bundledTopology(machine), clock: realClock() });
  const { log, logged } = logOf();
  const deviceRoot = devices ? { deviceRoot: join(folder, 'dev') } : {};
  const served = await serveKernel({ model, socketPath, log, ...deviceRoot });
  const kernel = await connectKernel(socketPath, realClock());
  const control = await connectControl(socketPath, realClock());
  t.after(async () => {
    kernel.close();
    control.close();
    await served.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { folder, socketPath, model, served, kernel, control, logged };
}

/** Text of a file, or the outcome's errno or `pending`. */
export async function textOf(kernel: RemoteKernel, path: string): Promise<string> {
  const outcome = await kernel.read(path);
  if (outcome.kind === 'value') return Buffer.from(outcome.value).toString('utf8');
  return outcome.kind === 'errno' ? outcome.errno : 'pending';
}

/** Waits until `done`, at most 5 s. */
export async function until(done: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never came: ${what}`);
}
