// The live end of the demo: a table that follows the agent, and single keys that make things happen.
import { sleep } from '../../base/clock.ts';
import type { Streams } from '../output.ts';
import { cast } from './machine.ts';
import { groupLines } from './picture.ts';
import { resources } from './policies.ts';
import type { Stage } from './stage.ts';

interface Key {
  readonly key: string;
  readonly does: string;
  readonly run: (stage: Stage, number: number) => Promise<void> | void;
}

function createPod(stage: Stage, resource: string, number: number): void {
  const containers = [{ name: 'main', devices: { [resource]: 1 } }];
  stage.kubelet.createPod({ namespace: 'demo', name: `pod-${number}`, containers });
}

const keys: readonly Key[] = [
  { key: 'g', does: 'pod wants the GPU', run: (stage, n) => createPod(stage, resources.gpu, n) },
  { key: 'n', does: 'pod wants a NIC', run: (stage, n) => createPod(stage, resources.nics, n) },
  {
    key: 'v',
    does: 'pod wants an NVMe disk',
    run: (stage, n) => createPod(stage, resources.disks, n),
  },
  {
    key: 'd',
    does: 'delete the oldest pod',
    run: (stage) => {
      const oldest = stage.kubelet.pods().find((pod) => !pod.terminating);
      if (oldest !== undefined) stage.kubelet.deletePod(oldest.uid, { graceMs: 0 });
    },
  },
  {
    key: 'h',
    does: 'next unbind of the GPU hangs',
    run: async (stage) => {
      const fault = { kind: 'unbind-hang', address: cast.gpu, times: 1 } as const;
      await stage.control.perform('injectFault', { fault });
    },
  },
  {
    key: 'c',
    does: 'clear faults',
    run: async (stage) => void (await stage.control.perform('clearFaults', {})),
  },
  { key: 'k', does: 'kill -9 the agent', run: (stage) => stage.killAgent() },
  {
    key: 's',
    does: 'start the agent',
    run: async (stage) => {
      if (!stage.agentRuns) await stage.startAgent();
    },
  },
];

async function picture(stage: Stage, streams: Streams): Promise<string> {
  const views = await stage.groups();
  const { paint } = streams;
  const table =
    views === null
      ? [paint('bad', 'the agent is not running (s starts it)')]
      : groupLines(views, paint, streams.columns() - 1);
  const pods = stage.kubelet
    .pods()
    .map((pod) =>
      `  ${pod.name.padEnd(10)} ${pod.phase.padEnd(8)} ${pod.reason} ${pod.message}`.slice(
        0,
        streams.columns() - 1,
      ),
    );
  const help = keys.map(({ key, does }) => `${paint('strong', key)} ${does}`).join('   ');
  const lines = [
    ...table,
    '',
    paint('strong', `pods (${pods.length})`),
    ...pods,
    '',
    help,
    `${paint('strong', 'q')} quit`,
  ];
  return `\u001b[H\u001b[2J${lines.join('\n')}\n`;
}

/** Shows the table until `q` or Ctrl-C. Only for terminals. */
export async function playLive(stage: Stage, streams: Streams): Promise<void> {
  streams.out('\nNow it is yours. Press a key to go on ...\n');
  const seen = { keys: 0, over: false };
  const onKey = (data: Buffer): void => {
    const text = data.toString('utf8');
    seen.keys += 1;
    seen.over ||= text === 'q' || text === '\u0003';
    const key = keys.find((candidate) => candidate.key === text);
    // A pod that cannot be made or an agent that is gone already shows in the table.
    if (key !== undefined) void Promise.resolve(key.run(stage, seen.keys)).catch(() => undefined);
  };
  process.stdin.setRawMode(true);
  process.stdin.resume();
  process.stdin.on('data', onKey);
  try {
    while (!seen.over) {
      if (seen.keys > 0) streams.out(await picture(stage, streams));
      await sleep(stage.clock, 300);
    }
  } finally {
    process.stdin.setRawMode(false);
    process.stdin.pause();
    process.stdin.off('data', onKey);
  }
}
