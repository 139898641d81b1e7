// The device manager's checkpoint in the kubelet's own JSON shape (kubelet_internal_checkpoint). It
// outlives the kubelet and the node; a text whose checksum is wrong is not used.
import type { ContainerGrant } from '../kubelet/door.ts';

/** Devices that one container has of one resource. */
export interface PodDeviceEntry {
  readonly podUid: string;
  readonly container: string;
  readonly resource: string;
  readonly ids: readonly string[];
  readonly grant: ContainerGrant;
}

/** What a checkpoint holds. */
export interface CheckpointData {
  readonly entries: readonly PodDeviceEntry[];
  /** Resources that were registered; their devices count for nothing after a start. */
  readonly registered: Readonly<Record<string, readonly string[]>>;
}

interface CheckpointJson {
  readonly Data: {
    readonly PodDeviceEntries: readonly {
      readonly PodUID: string;
      readonly ContainerName: string;
      readonly ResourceName: string;
      readonly DeviceIDs: Readonly<Record<string, readonly string[]>>;
      readonly AllocResp: string;
    }[];
    readonly RegisteredDevices: Readonly<Record<string, readonly string[]>>;
  };
  readonly Checksum: number;
}

// FNV-1a over the data's JSON text; the real one hashes Go's printed form of the struct.
function checksum(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++)
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** The checkpoint as text. `nodesOf` gives the NUMA nodes of a device; without any it stands under -1. */
export function encodeCheckpoint(
  data: CheckpointData,
  nodesOf: (resource: string, id: string) => readonly number[],
): string {
  const body: CheckpointJson['Data'] = {
    PodDeviceEntries: data.entries.map((entry) => ({
      PodUID: entry.podUid,
      ContainerName: entry.container,
      ResourceName: entry.resource,
      DeviceIDs: byNode(entry.ids, (id) => nodesOf(entry.resource, id)),
      AllocResp: Buffer.from(JSON.stringify(entry.grant)).toString('base64'),
    })),
    RegisteredDevices: data.registered,
  };
  const json: CheckpointJson = { Data: body, Checksum: checksum(JSON.stringify(body)) };
  return JSON.stringify(json);
}

/** Device IDs under each of their NUMA nodes, as the kubelet keeps and lists them. */
export function byNode(
  ids: readonly string[],
  nodesOf: (id: string) => readonly number[],
): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const id of ids) {
    const nodes = nodesOf(id);
    for (const node of nodes.length === 0 ? [-1] : nodes) (groups[String(node)] ??= []).push(id);
  }
  return groups;
}

/** Reads a checkpoint; null when it is not one or its checksum is wrong. */
export function decodeCheckpoint(text: string): CheckpointData | null {
  try {
    const json = JSON.parse(text) as CheckpointJson;
    if (json.Checksum !== checksum(JSON.stringify(json.Data))) return null;
    return {
      entries: json.Data.PodDeviceEntries.map((entry) => ({
        podUid: entry.PodUID,
        container: entry.ContainerName,
        resource: entry.ResourceName,
        ids: [...new Set(Object.values(entry.DeviceIDs).flat())].sort(),
        grant: JSON.parse(Buffer.from(entry.AllocResp, 'base64').toString()) as ContainerGrant,
      })),
      registered: json.Data.RegisteredDevices,
    };
  } catch {
    return null;
  }
}
