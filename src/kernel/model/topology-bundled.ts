// The machines that come with wholegroup, by name. Files next to this one, except the large one, which is
// made. Nothing is cached: every call gives a machine of its own.
import { readFileSync } from 'node:fs';
import { CodedError, errorText } from '../../base/errors.ts';
import type { MachineSpec } from './spec.ts';
import { parseTopology } from './topology.ts';
import { largeMachine } from './topology-large.ts';
import { problemText } from './topology-problem.ts';

const files = {
  guest: 'guest.json',
  'gpu-workstation': 'gpu-workstation.yaml',
  'sriov-nic-server': 'sriov-nic-server.yaml',
  'nvme-lvm': 'nvme-lvm.yaml',
  'no-acs': 'no-acs.yaml',
  'no-interrupt-remapping': 'no-interrupt-remapping.yaml',
  'no-iommu': 'no-iommu.yaml',
  'two-numa': 'two-numa.yaml',
  transcripts: 'transcripts.yaml',
} as const;

/** Name of a bundled machine. */
export type BundledTopologyName = keyof typeof files | 'large-1000';

/** All names, in the order in which they are shown to people. */
export const bundledTopologyNames: readonly BundledTopologyName[] = [
  ...(Object.keys(files) as (keyof typeof files)[]),
  'large-1000',
];

/** Whether a word is the name of a bundled machine. */
export function isBundledTopology(word: string): word is BundledTopologyName {
  return (bundledTopologyNames as readonly string[]).includes(word);
}

/**
 * The bundled machine of that name. Throws CodedError WG_TOPOLOGY_INVALID when its file is missing or was
 * made unusable, which a complete installation never is.
 */
export function bundledTopology(name: BundledTopologyName): MachineSpec {
  if (name === 'large-1000') return largeMachine(name, 1000);
  const url = new URL(`./topologies/${files[name]}`, import.meta.url);
  let text: string;
  try {
    text = readFileSync(url, 'utf8');
  } catch (cause) {
    throw new CodedError('WG_TOPOLOGY_INVALID', `${url.pathname}: ${errorText(cause)}`, { cause });
  }
  const spec = parseTopology(text, name);
  if (spec.ok) return spec.value;
  throw new CodedError('WG_TOPOLOGY_INVALID', problemText(url.pathname, spec.problem));
}
