// `wholegroup explain ADDRESS`: one device, its group, every reason against giving it away, what to do.
import type { Command } from 'commander';
import { CodedError } from '../../base/errors.ts';
import { silentLog } from '../../base/log.ts';
import { realClock } from '../../observe/real-clock.ts';
import { parsePciAddress, type PciAddress } from '../../pci/address.ts';
import { pciFunctions } from '../../pci/group.ts';
import { addKernelFlags, addOutputFlag, type CommandContext } from '../command-context.ts';
import { exitStatuses } from '../exit.ts';
import { chooseKernel, type KernelFlags } from '../kernel-choice.ts';
import { lookAtMachine, type MachineLook } from '../look-at-machine.ts';
import { type OutputForm, print, type Streams } from '../output.ts';
import { laneEntry } from '../places.ts';
import { explanationLines } from '../render/explanation.ts';
import { noIommuLines } from '../render/machine.ts';
import { groupReport, machineReport } from '../render/report.ts';

interface ExplainFlags extends KernelFlags {
  readonly output: OutputForm;
}

/** Adds the command. */
export function addExplainCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('explain')
    .description(
      'explain one PCI device: its group, every reason that keeps it with the host, and what to do',
    )
    .argument('<address>', 'PCI address, for example 0000:65:00.0');
  addOutputFlag(addKernelFlags(command)).action(async (text: string, flags: ExplainFlags) => {
    const address = parsePciAddress(text);
    if (!address.ok) throw new CodedError('WG_FLAG_INVALID', `address: ${address.problem}`);
    context.done(await explain(address.value, flags, context.streams));
  });
}

async function explain(
  address: PciAddress,
  flags: ExplainFlags,
  streams: Streams,
): Promise<number> {
  const clock = realClock();
  const chosen = await chooseKernel(flags, { clock, log: silentLog, laneEntry });
  try {
    return answer(
      address,
      flags,
      streams,
      await lookAtMachine(chosen.kernel, { clock, log: silentLog }),
    );
  } finally {
    await chosen.close();
  }
}

function answer(
  address: PciAddress,
  flags: ExplainFlags,
  streams: Streams,
  machine: MachineLook,
): number {
  const look = machine.looks.find((candidate) =>
    pciFunctions(candidate.group).some((fn) => fn.address === address),
  );
  if (look !== undefined) {
    const report = groupReport(machine.node, look);
    print(streams, flags.output, report, () => explanationLines(address, report, streams.paint));
    return report.releasable ? exitStatuses.ok.status : exitStatuses.blocked.status;
  }
  const report = machineReport(machine.node, machine.inventory, machine.looks);
  if (!machine.inventory.functions.some((fn) => fn.address === address)) {
    streams.err(
      `there is no PCI function ${address} on this machine; "wholegroup inspect" lists what there is\n`,
    );
    return exitStatuses.notFound.status;
  }
  const alone = [`${address} is in no IOMMU group.`, ...noIommuLines(report, streams.paint)];
  print(streams, flags.output, { address, group: null, iommu: report.iommu }, () => alone);
  return exitStatuses.noIommu.status;
}
