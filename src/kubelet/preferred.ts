// Which of the available devices a container should get: the fewest NUMA nodes over all members of the
// chosen groups, then the fewest members taken from the host, then ID order. Pure.
import { fail, ok, type Result } from '../base/result.ts';
import type { OfferedDevice } from './door.ts';

/** One container's question. */
export interface PreferenceRequest {
  readonly available: readonly string[];
  readonly mustInclude: readonly string[];
  readonly size: number;
}

interface Candidate {
  readonly id: string;
  readonly nodes: readonly number[];
  readonly memberCount: number;
}

// Nodes are told apart exactly up to this many (all subsets are looked at); beyond it greedily.
const exactNodesMax = 10;
// A device whose node is not known shares a node with nobody but its like, as in the kubelet.
const unknownNode = -1;

/**
 * The preferred devices in ID order: `mustInclude` and as many others as `size` asks for. A problem names
 * the field that is wrong. IDs that are not offered any more come last but are not an error: the kubelet
 * asks from the list it had.
 */
export function preferDevices(
  request: PreferenceRequest,
  offered: readonly OfferedDevice[],
): Result<readonly string[]> {
  const problem = badRequest(request);
  if (problem !== null) return fail(problem);
  const known = new Map<string, OfferedDevice>(offered.map((device) => [device.id, device]));
  const candidates = [...new Set(request.available)].map((id) => candidate(id, known.get(id)));
  candidates.sort(byMembersThenId);
  const must = new Set(request.mustInclude);
  const kept = candidates.filter((one) => must.has(one.id));
  const rest = candidates.filter((one) => !must.has(one.id));
  const wanted = request.size - kept.length;
  const chosen = pack(kept, rest, wanted);
  return ok([...kept, ...chosen].map((one) => one.id).sort());
}

function badRequest(request: PreferenceRequest): string | null {
  const available = new Set(request.available);
  const must = new Set(request.mustInclude);
  if (!Number.isInteger(request.size) || request.size < 1) {
    return `allocation_size is ${request.size}; it must be 1 or more`;
  }
  if (request.size > available.size) {
    return `allocation_size is ${request.size}, but available_deviceIDs has ${available.size} devices`;
  }
  if (request.size < must.size) {
    return `allocation_size is ${request.size}, but must_include_deviceIDs has ${must.size} devices`;
  }
  for (const id of must) {
    if (!available.has(id))
      return `must_include_deviceIDs names ${id}, which available_deviceIDs does not`;
  }
  return null;
}

function candidate(id: string, device: OfferedDevice | undefined): Candidate {
  if (device === undefined)
    return { id, nodes: [unknownNode], memberCount: Number.MAX_SAFE_INTEGER };
  const nodes = device.numaNodes.length === 0 ? [unknownNode] : device.numaNodes;
  return { id, nodes, memberCount: device.memberCount };
}

function byMembersThenId(a: Candidate, b: Candidate): number {
  if (a.memberCount !== b.memberCount) return a.memberCount - b.memberCount;
  return a.id < b.id ? -1 : 1;
}

function pack(
  kept: readonly Candidate[],
  rest: readonly Candidate[],
  wanted: number,
): readonly Candidate[] {
  if (wanted === 0) return [];
  const given = new Set(kept.flatMap((one) => one.nodes));
  const others = [...new Set(rest.flatMap((one) => one.nodes))]
    .filter((node) => !given.has(node))
    .sort((a, b) => a - b);
  return others.length <= exactNodesMax
    ? packExactly(given, others, rest, wanted)
    : packGreedily(given, rest, wanted);
}

// Looks at every set of further nodes, smallest sets first; `rest` is in order of preference already, so
// the first `wanted` devices inside a set are its best.
function packExactly(
  given: ReadonlySet<number>,
  others: readonly number[],
  rest: readonly Candidate[],
  wanted: number,
): readonly Candidate[] {
  let best: readonly Candidate[] | null = null;
  for (let count = 0; count <= others.length && best === null; count++) {
    for (const subset of subsetsOf(others, count)) {
      const nodes = new Set([...given, ...subset]);
      const inside = rest.filter((one) => one.nodes.every((node) => nodes.has(node)));
      if (inside.length < wanted) continue;
      const picked = inside.slice(0, wanted);
      if (best === null || isBetter(picked, best)) best = picked;
    }
  }
  return best ?? rest.slice(0, wanted);
}

function isBetter(a: readonly Candidate[], b: readonly Candidate[]): boolean {
  const membersA = a.reduce((sum, one) => sum + one.memberCount, 0);
  const membersB = b.reduce((sum, one) => sum + one.memberCount, 0);
  if (membersA !== membersB) return membersA < membersB;
  const idsA = a
    .map((one) => one.id)
    .sort()
    .join(',');
  const idsB = b
    .map((one) => one.id)
    .sort()
    .join(',');
  return idsA < idsB;
}

function* subsetsOf(nodes: readonly number[], count: number): Generator<readonly number[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (const [index, node] of nodes.entries()) {
    for (const tail of subsetsOf(nodes.slice(index + 1), count - 1)) yield [node, ...tail];
  }
}

function packGreedily(
  given: ReadonlySet<number>,
  rest: readonly Candidate[],
  wanted: number,
): readonly Candidate[] {
  const nodes = new Set(given);
  const left = [...rest];
  const picked: Candidate[] = [];
  while (picked.length < wanted) {
    let at = 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [index, one] of left.entries()) {
      const added = one.nodes.filter((node) => !nodes.has(node)).length;
      if (added < fewest) [at, fewest] = [index, added];
    }
    const [next] = left.splice(at, 1);
    if (next === undefined) break;
    for (const node of next.nodes) nodes.add(node);
    picked.push(next);
  }
  return picked;
}
