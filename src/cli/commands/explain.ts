// `wholegroup explain ADDRESS`: one device, its group, every reason against giving it away, what to do, and what
// would happen if a pod got it.
import type { Command } from 'commander';
import { silentLog } from '../../base/log.ts';
import { realClock } from '../../observe/real-clock.ts';
import type { PciAddress } from '../../pci/address.ts';
import { endpoints, pciFunctions } from '../../pci/group.ts';
import { type ClaimPreview, previewClaim } from '../claim-preview.ts';
import { addKernelFlags, addOutputFlag, type CommandContext } from '../command-context.ts';
import { diskCautions } from '../disk-cautions.ts';
import { exitStatuses } from '../exit.ts';
import { iommuAdvice, readIommuClues } from '../iommu-advice.ts';
import { type ChosenKernel, chooseKernel, type KernelFlags } from '../kernel-choice.ts';
import { lookAtMachine, type MachineLook } from '../look-at-machine.ts';
import { type OutputForm, print, type Streams } from '../output.ts';
import { laneEntry } from '../places.ts';
import { explanationLines } from '../render/explanation.ts';
import { type GroupReport, type MachineReport, machineReport } from '../render/report.ts';
import { requireAddressForm, resolveAddress } from '../resolve-address.ts';

interface ExplainFlags extends KernelFlags {
  readonly output: OutputForm;
}

/** What `explain -o json` prints. */
interface Explanation extends GroupReport {
  readonly address: string;
  /** What a claim would do; null while anything keeps the group, or when that cannot be told. */
  readonly claim: ClaimPreview | null;
}

/** Adds the command. */
export function addExplainCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('explain')
    .description(
      'explain one PCI device: its group, every reason that keeps it with the host, and what to do',
    )
    .argument('<address>', 'PCI address, for example 0000:65:00.0 or 65:00.0');
  addOutputFlag(addKernelFlags(command)).action(async (text: string, flags: ExplainFlags) => {
    requireAddressForm(text);
    context.done(await explain(text, flags, context.streams));
  });
}

async function explain(text: string, flags: ExplainFlags, streams: Streams): Promise<number> {
  const clock = realClock();
  const chosen = await chooseKernel(flags, { clock, log: silentLog, laneEntry });
  try {
    const machine = await lookAtMachine(chosen.kernel, { clock, log: silentLog });
    const address = resolveAddress(text, machine.inventory);
    if (address === null) {
      streams.err(
        `there is no PCI function ${text} on this machine; "wholegroup inspect" lists what there is\n`,
      );
      return exitStatuses.notFound.status;
    }
    return await answer(address, flags, streams, { chosen, machine });
  } finally {
    await chosen.close();
  }
}

async function answer(
  address: PciAddress,
  flags: ExplainFlags,
  streams: Streams,
  { chosen, machine }: { readonly chosen: ChosenKernel; readonly machine: MachineLook },
): Promise<number> {
  const report = machineReport(machine.node, machine.inventory, machine.looks);
  const look = machine.looks.find((candidate) =>
    pciFunctions(candidate.group).some((fn) => fn.address === address),
  );
  const group = report.groups.find((candidate) => candidate.group === look?.group.number);
  if (look === undefined || group === undefined) {
    return await alone(address, flags, streams, { chosen, report });
  }
  const planned = previewClaim(machine.node, look, group, address);
  const onDisk = await diskCautions(chosen.kernel, endpoints(look.group));
  const preview = planned && { ...planned, cautions: [...planned.cautions, ...onDisk] };
  const data: Explanation = { address, ...group, claim: group.releasable ? preview : null };
  print(streams, flags.output, data, () =>
    explanationLines({ address, group, machine: report, preview }, streams.paint),
  );
  return group.releasable ? exitStatuses.ok.status : exitStatuses.blocked.status;
}

/** A function in no group: without an IOMMU nothing is, with one a few devices of the platform are not. */
async function alone(
  address: PciAddress,
  flags: ExplainFlags,
  streams: Streams,
  { chosen, report }: { readonly chosen: ChosenKernel; readonly report: MachineReport },
): Promise<number> {
  const { paint } = streams;
  const lines = [`${paint('strong', address)} is in no IOMMU group.`];
  const active = report.iommu === null || report.iommu.length > 0;
  const advice = active
    ? [
        'An IOMMU is active, but not for this device: nothing limits its DMA, so it cannot be given away.',
      ]
    : [
        'No IOMMU is active on this machine, so no device can be passed through safely.',
        ...iommuAdvice(await readIommuClues(chosen.kernel)),
      ];
  const data = { address, group: null, iommu: report.iommu, advice };
  print(streams, flags.output, data, () => [...lines, ...advice]);
  return active ? exitStatuses.blocked.status : exitStatuses.noIommu.status;
}
