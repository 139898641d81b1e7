// An agent as it ships: the bundle, in a process of its own, with folders of its own. And the policy that benches use.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundled } from './bundled.ts';
import { BenchKubelet } from './kubelet.ts';
import { type Child, startNode } from './children.ts';
import { until } from './measure.ts';

/** The resource of the graphics cards of a made machine. */
export const resource = 'bench.example.com/gpu';

/** How a bench's agent differs from another's. */
export interface AgentSetup {
  /** Flags that choose the kernel. */
  readonly kernel: readonly string[];
  /** Eager: claimed before any pod comes. */
  readonly binding?: 'OnAllocate' | 'Eager';
  readonly env?: NodeJS.ProcessEnv;
}

/** An agent, its kubelet, and when it was started (performance.now() here). */
export interface BenchAgent {
  readonly process: Child;
  readonly kubelet: BenchKubelet;
  readonly startedMs: number;
}

/** A folder that goes with `stack`; `where` is /dev/shm for what is in memory on a real machine. */
export function scratch(stack: AsyncDisposableStack, where = tmpdir()): string {
  const folder = mkdtempSync(join(where, 'wholegroup-bench-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function policyText(binding: string): string {
  return [
    'apiVersion: wholegroup.dev/v1alpha1',
    'kind: PassthroughPolicy',
    'metadata: {name: bench}',
    'spec:',
    `  resourceName: ${resource}`,
    '  devices: [{vendor: "10de", device: "2235"}]',
    `  binding: ${binding}`,
    '',
  ].join('\n');
}

/** Starts an agent and waits until its kubelet has accepted it. */
export async function startBenchAgent(
  stack: AsyncDisposableStack,
  setup: AgentSetup,
): Promise<BenchAgent> {
  const folder = scratch(stack);
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('policies'));
  writeFileSync(at('policies/bench.yaml'), policyText(setup.binding ?? 'OnAllocate'));
  const kubelet = stack.use(await BenchKubelet.start(at('kubelet')));
  const startedMs = performance.now();
  const agent = stack.use(
    startNode(
      [
        ...[...bundled(), 'agent', ...setup.kernel],
        ...['--policies', at('policies'), '--state', at('state'), '--cdi-dir', at('cdi')],
        ...['--kubelet-dir', at('kubelet'), '--kubelet-ready-seconds', '0'],
        ...['--listen', '127.0.0.1:0', '--node-name', 'bench'],
      ],
      at('agent.log'),
      setup.env,
    ),
  );
  const registered = until(
    'the agent is registered',
    () => kubelet.registeredAtMs(resource) !== null,
  );
  await Promise.race([registered, agent.ended]);
  return { process: agent, kubelet, startedMs };
}
