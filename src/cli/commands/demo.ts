// `wholegroup demo`: the story, then (on a terminal) the running parts to play with.
import type { Command } from 'commander';
import { realClock } from '../../observe/real-clock.ts';
import type { CommandContext } from '../command-context.ts';
import { playLive } from '../demo/live.ts';
import { Stage } from '../demo/stage.ts';
import { tellStory } from '../demo/story.ts';

interface DemoFlags {
  readonly once?: boolean;
}

/** Adds the command. */
export function addDemoCommand(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description(
      'a simulated machine, the real agent and a kubelet stand-in: no cluster, no hardware, no root',
    )
    .option('--once', 'tell the story and end')
    .action(async (flags: DemoFlags) => {
      context.done(await demo(flags, context));
    });
}

async function demo(flags: DemoFlags, { streams }: CommandContext): Promise<number> {
  const clock = realClock();
  const startedMs = clock.monotonicMs();
  const { paint } = streams;
  streams.out(
    `${paint('title', 'wholegroup: a PCI device goes to a pod with its whole IOMMU group, or not at all')}\n`,
  );
  streams.out(
    'Starting a simulated Linux 6.12 (a process), a kubelet stand-in, and the agent (a process) ...\n',
  );
  const stage = await Stage.open(clock);
  // Ctrl-C ends the parts too.
  const interrupted = (): void => void stage.close().finally(() => process.exit(130));
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    await stage.startAgent();
    await tellStory({ stage, streams });
    const seconds = ((clock.monotonicMs() - startedMs) / 1000).toFixed(0);
    streams.out(
      `\nThat was ${seconds} s: real sockets, real gRPC, real processes; only the kernel was simulated.\n`,
    );
    if (flags.once !== true && streams.interactive) await playLive(stage, streams);
    else
      streams.out(
        'On a terminal, "npm start" stays and lets you play. Next: npx wholegroup inspect\n',
      );
    return 0;
  } finally {
    await stage.close();
  }
}
