// A node from outside: the kernel that it simulates, by its socket, and the lists of its kubelet, by theirs.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type {
  OperationArguments,
  OperationName,
} from '../../../src/kernel/model/serve-operations.ts';
import { connectControl } from '../../../src/kernel/remote/remote-control.ts';
import { connectKernel } from '../../../src/kernel/remote/remote-kernel.ts';
import type { DeviceHolder } from '../../../src/kubelet/pods.ts';
import { PodResourcesClient, podResourcesTiming } from '../../../src/kubelet/pods/pod-resources.ts';
import { loadPodResourcesWire } from '../../../src/kubelet/wire/load.ts';
import { realClock } from '../../../src/observe/real-clock.ts';
import type { AnyNode } from '../harness/any-cluster.ts';

const protos = join(import.meta.dirname, '..', '..', '..', 'protos');
const socket = '/run/wholegroup/sim.sock';

/** Where a function stands, as the simulated kernel itself says. */
export interface Binding {
  readonly driver: string | null;
  readonly override: string | null;
  readonly group: number | null;
}

/** An operation on the machine that a node simulates; its value. Fails when the machine refuses. */
export async function perform<Name extends OperationName>(
  node: AnyNode,
  operation: Name,
  given: OperationArguments[Name],
): Promise<unknown> {
  const control = await connectControl(node.path(socket), realClock());
  try {
    const answer = await control.perform(operation, given);
    const asked = `${operation} ${JSON.stringify(given)}`;
    assert.equal(answer.kind, 'done', `${asked}: ${JSON.stringify(answer)}`);
    return 'value' in answer ? answer.value : null;
  } finally {
    control.close();
  }
}

/** One write to a file of that machine. */
export async function writeFile(node: AnyNode, path: string, text: string): Promise<void> {
  const kernel = await connectKernel(node.path(socket), realClock());
  try {
    const outcome = await kernel.write(path, text);
    assert.equal(outcome.kind, 'value', `${path}: ${JSON.stringify(outcome)}`);
  } finally {
    kernel.close();
  }
}

/** Who holds which devices, as the kubelet says. */
export async function holdersOn(node: AnyNode): Promise<readonly DeviceHolder[]> {
  const client = new PodResourcesClient({
    folder: node.path('/var/lib/kubelet/pod-resources'),
    wire: loadPodResourcesWire(protos),
    clock: realClock(),
    ...podResourcesTiming,
  });
  try {
    const answer = await client.list();
    assert(answer.kind === 'holders', JSON.stringify(answer));
    return answer.holders;
  } finally {
    client.close();
  }
}
