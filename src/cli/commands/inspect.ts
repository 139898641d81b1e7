// `wholegroup inspect`: every IOMMU group of a machine, who owns it, and why it cannot be given away.
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CodedError, errorText } from '../../base/errors.ts';
import { silentLog } from '../../base/log.ts';
import { realClock } from '../../observe/real-clock.ts';
import { addKernelFlags, addOutputFlag, type CommandContext } from '../command-context.ts';
import { exitStatuses } from '../exit.ts';
import { exportMachine } from '../export-machine.ts';
import { iommuAdvice, readIommuClues } from '../iommu-advice.ts';
import { chooseKernel, type KernelFlags } from '../kernel-choice.ts';
import { lookAtMachine } from '../look-at-machine.ts';
import { type OutputForm, print, type Streams } from '../output.ts';
import { laneEntry } from '../places.ts';
import { machineLines } from '../render/machine.ts';
import { type MachineReport, machineReport } from '../render/report.ts';
import type { KernelFs } from '../../kernel/fs.ts';

interface InspectFlags extends KernelFlags {
  readonly output: OutputForm;
  readonly export?: string;
  readonly all?: boolean;
}

/** Adds the command. */
export function addInspectCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('inspect')
    .description(
      'show the IOMMU groups of a machine, their owners, and what keeps each from being released',
    )
    .option('--all', 'also list the groups that hold bridges only')
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
    const machine = await lookAtMachine(chosen.kernel, { clock, log: silentLog });
    const report = machineReport(machine.node, machine.inventory, machine.looks);
    const without = report.iommu?.length === 0;
    const advice = without ? await adviceFor(chosen.kernel, report, streams) : [];
    const view = {
      paint: streams.paint,
      width: streams.isTerminal ? streams.columns() : null,
      all: flags.all === true,
    };
    print(streams, flags.output, report, () => machineLines(report, advice, view));
    if (flags.export !== undefined) {
      writeExport(flags.export, await exportMachine(chosen.kernel, machine));
      streams.err(`wrote ${flags.export}; look through it before you share it\n`);
    }
    return without ? exitStatuses.noIommu.status : exitStatuses.ok.status;
  } finally {
    await chosen.close();
  }
}

async function adviceFor(
  kernel: KernelFs,
  report: MachineReport,
  { paint }: Streams,
): Promise<readonly string[]> {
  const functions = report.ungrouped.length;
  const counted =
    functions === 1 ? 'its one PCI function is' : `its ${functions} PCI functions are`;
  return [
    paint(
      'bad',
      `No IOMMU is active on this machine: ${counted} in no group, and none can be passed through safely.`,
    ),
    ...iommuAdvice(await readIommuClues(kernel)),
  ];
}

function writeExport(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new CodedError(
      'WG_FLAG_INVALID',
      `--export ${path}: cannot be written: ${errorText(cause)}`,
      { cause },
    );
  }
}
