// `wholegroup inspect`: every IOMMU group of a machine, who owns it, and why it cannot be given away.
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { silentLog } from '../../base/log.ts';
import { realClock } from '../../observe/real-clock.ts';
import { addKernelFlags, addOutputFlag, type CommandContext } from '../command-context.ts';
import { exitStatuses } from '../exit.ts';
import { exportMachine } from '../export-machine.ts';
import { chooseKernel, type KernelFlags } from '../kernel-choice.ts';
import { lookAtMachine } from '../look-at-machine.ts';
import { type OutputForm, print } from '../output.ts';
import { laneEntry } from '../places.ts';
import { machineLines } from '../render/machine.ts';
import { machineReport } from '../render/report.ts';

interface InspectFlags extends KernelFlags {
  readonly output: OutputForm;
  readonly export?: string;
}

/** Adds the command. */
export function addInspectCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('inspect')
    .description(
      'show the IOMMU groups of a machine, their owners, and what keeps each from being released',
    )
    .option(
      '--export <file>',
      'also write the machine as a topology file, to simulate it elsewhere or for a bug report',
    );
  addOutputFlag(addKernelFlags(command)).action(async (flags: InspectFlags) => {
    context.done(await inspect(flags, context));
  });
}

async function inspect(flags: InspectFlags, { streams }: CommandContext): Promise<number> {
  const clock = realClock();
  const chosen = await chooseKernel(flags, { clock, log: silentLog, laneEntry });
  try {
    const { node, inventory, looks } = await lookAtMachine(chosen.kernel, {
      clock,
      log: silentLog,
    });
    const report = machineReport(node, inventory, looks);
    print(streams, flags.output, report, () => machineLines(report, streams.paint));
    if (flags.export !== undefined) {
      writeFileSync(flags.export, await exportMachine(chosen.kernel, { node, inventory, looks }));
      streams.err(`wrote ${flags.export}; look through it before you share it\n`);
    }
    return report.iommu.length > 0 ? exitStatuses.ok.status : exitStatuses.noIommu.status;
  } finally {
    await chosen.close();
  }
}
