// A policy that would offer a group, sketched for a person to start from: the fewest fields that select it and take
// all of it along. It is of the form that api/ parses; a test holds both together.
import type { MemberReport } from './member-report.ts';

/** The sketch, as the object that a policy file has. */
export interface PolicySketch {
  readonly apiVersion: string;
  readonly kind: 'PassthroughPolicy';
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly resourceName: string;
    readonly devices: readonly { readonly vendor: string; readonly device: string }[];
    readonly primaries?: { readonly min: number; readonly max: number };
    readonly companions?: 'Any';
  };
}

function slotOfText(address: string): string {
  return address.slice(0, address.lastIndexOf('.'));
}

/**
 * The member that a policy would ask for when a person asks about `asked`: itself, the first function of its slot
 * (a GPU for its audio), or the first endpoint when it is a bridge. Null: the group has no endpoint.
 */
export function primaryFor(members: readonly MemberReport[], asked: string): MemberReport | null {
  const endpoints = members.filter((member) => member.role === 'endpoint');
  const ofSlot = endpoints.filter((member) => slotOfText(member.address) === slotOfText(asked));
  const same = ofSlot.find((member) => member.address === asked);
  const first = ofSlot.find((member) => member.address.endsWith('.0'));
  // Two ports of one card are equals; what differs from function 0 is its companion.
  if (same !== undefined && (first === undefined || first.id === same.id)) return same;
  return first ?? same ?? endpoints[0] ?? null;
}

/** Endpoints that come along with the functions that have the primary's ids, by where they are. */
export function companionsOf(
  members: readonly MemberReport[],
  primary: MemberReport,
): { readonly sameSlot: readonly string[]; readonly otherSlots: readonly string[] } {
  const endpoints = members.filter((member) => member.role === 'endpoint');
  const asked = selectedIn(members, primary);
  const slots = new Set(asked.map((member) => slotOfText(member.address)));
  const others = endpoints.filter((member) => !asked.includes(member)).map((each) => each.address);
  return {
    sameSlot: others.filter((address) => slots.has(slotOfText(address))),
    otherSlots: others.filter((address) => !slots.has(slotOfText(address))),
  };
}

/** The sketch; null when the ids of the primary are not known. */
export function policySketch(
  members: readonly MemberReport[],
  primary: MemberReport,
): PolicySketch | null {
  const [vendor = '', device = ''] = primary.id.split(':');
  if (!/^[0-9a-f]{4}$/.test(vendor)) return null;
  const selected = selectedIn(members, primary).length;
  const word = primary.description.replace(/ (?:controller|device)$/, '').toLowerCase();
  const name = `${word.replaceAll(/[^a-z0-9]+/g, '-')}-${vendor}-${device}`;
  return {
    apiVersion: 'wholegroup.dev/v1alpha1',
    kind: 'PassthroughPolicy',
    metadata: { name },
    spec: {
      resourceName: `example.com/${name}`,
      devices: [{ vendor, device }],
      ...(selected === 1 ? {} : { primaries: { min: selected, max: selected } }),
      ...(companionsOf(members, primary).otherSlots.length === 0 ? {} : { companions: 'Any' }),
    },
  };
}

/** Endpoints with the ids of the primary: what the sketched selector selects in a group. */
export function selectedIn(
  members: readonly MemberReport[],
  primary: MemberReport,
): readonly MemberReport[] {
  return members.filter((member) => member.role === 'endpoint' && member.id === primary.id);
}

/** A condition that narrows the sketched selector to this one group. */
export function narrowing(selected: readonly MemberReport[]): string {
  const [first] = selected;
  if (first === undefined) return '';
  const slot = slotOfText(first.address);
  if (selected.length === 1) return `address: "${first.address}"`;
  const oneSlot = selected.every((member) => slotOfText(member.address) === slot);
  return oneSlot ? `slot: "${slot}"` : `address: "${first.address.slice(0, 8)}*"`;
}

/** The sketch as YAML, in the style of the documentation. */
export function sketchLines({ apiVersion, kind, metadata, spec }: PolicySketch): readonly string[] {
  const { resourceName, devices, primaries, companions } = spec;
  return [
    `apiVersion: ${apiVersion}`,
    `kind: ${kind}`,
    `metadata: {name: ${metadata.name}}`,
    'spec:',
    `  resourceName: ${resourceName}`,
    '  devices:',
    ...devices.map(({ vendor, device }) => `  - {vendor: "${vendor}", device: "${device}"}`),
    ...(primaries === undefined
      ? []
      : [`  primaries: {min: ${primaries.min}, max: ${primaries.max}}`]),
    ...(companions === undefined ? [] : [`  companions: ${companions}`]),
  ];
}
