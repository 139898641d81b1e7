// The preview of a claim as lines: what would be written, what the container gets, what to keep in mind, a policy.
import type { Step } from '../../ownership/step.ts';
import type { ClaimPreview } from '../claim-preview.ts';
import type { Paint } from './paint.ts';
import { sketchLines } from './policy-sketch.ts';

type Of<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

function ofKind<Kind extends Step['kind']>(
  steps: readonly Step[],
  kind: Kind,
): readonly Of<Kind>[] {
  return steps.filter((step): step is Of<Kind> => step.kind === kind);
}

function stepLines({ steps, vfioDriver, access, deviceNodes }: ClaimPreview): readonly string[] {
  const overrides = ofKind(steps, 'SetOverride').map((step) => step.address);
  const unbinds = ofKind(steps, 'Unbind').map((step) => `${step.driver} from ${step.address}`);
  const probes = ofKind(steps, 'Probe').map((step) => step.address);
  const node = access === 'Group' ? deviceNodes.at(-1) : 'a device file for each';
  const lines = [
    ...(overrides.length === 0
      ? []
      : [`set driver_override to ${vfioDriver} on ${overrides.join(', ')}`]),
    ...(unbinds.length === 0 ? [] : [`unbind ${unbinds.join(', ')}`]),
    ...(probes.length === 0 ? [] : [`bind ${vfioDriver} to ${probes.join(', ')}: ${node} appears`]),
  ];
  return lines.map((line, index) => `  ${index + 1}. ${line}`);
}

/** What a pod's author has to know of the device files. */
function podLines({ access, deviceNodes }: ClaimPreview): readonly string[] {
  const private_ = access === 'Group' ? deviceNodes.at(-1) : 'the device files';
  const belong = access === 'Group' ? 'belongs' : 'belong';
  return [
    `The container gets ${[...new Set(deviceNodes)].join(' and ')}.`,
    `  - ${private_} ${belong} to root with mode 0600: a container that does not run as root needs deviceNodes`,
    '    (uid, gid, mode) in the policy.',
    '  - Memory that it maps for DMA is locked, and a pod may lock 8 MiB by default (RLIMIT_MEMLOCK): a program that',
    "    maps a VM's memory needs CAP_IPC_LOCK or a raised limit.",
  ];
}

/** Other groups that the sketched policy would select too. */
export interface Twins {
  readonly count: number;
  /** A condition that leaves them out. */
  readonly narrowing: string;
}

/** The lines; `opening` says when it would happen. */
export function claimLines(
  preview: ClaimPreview,
  opening: string,
  twins: Twins,
  paint: Paint,
): readonly string[] {
  const { steps, vfioDriver, cautions, policy } = preview;
  const claim =
    steps.length === 0
      ? [`${opening}: a claim has nothing to write, all of it is on ${vfioDriver} already.`]
      : [
          `${opening}. A claim would`,
          ...stepLines(preview),
          'and a return gives every driver and driver_override back.',
        ];
  const [first = '', ...rest] = claim;
  const lines = [paint('good', first), ...rest, '', ...podLines(preview)];
  if (cautions.length > 0) {
    lines.push(
      '',
      paint('busy', 'To keep in mind:'),
      ...cautions.map((caution) => `  - ${caution}`),
    );
  }
  if (policy === null) return lines;
  lines.push('', 'A policy that would offer it:', '');
  lines.push(...sketchLines(policy).map((line) => paint('ours', `  ${line}`)));
  if (twins.count === 0) return lines;
  const others =
    twins.count === 1
      ? 'another group has such devices, and comes'
      : `${twins.count} other groups have such devices, and come`;
  return [
    ...lines,
    '',
    `Beware: ${others} under it as well; ${twins.narrowing} in the selector means this one alone.`,
  ];
}
