// Nodes, PassthroughNodes and IOMMUGroups in numbers, as their agents would have made them: planted where the API server
// keeps them, because to make them through it takes longer than to measure. Changes go through the API.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { mergePatch } from '../../test/api/support/api-call.ts';
import type { ApiServer } from '../../test/api/support/api-server.ts';
import { until } from '../../test/api/support/waiting.ts';
import { assignedGroup, nodeObject } from '../../test/api/objects/group-objects.ts';

const api = '/apis/wholegroup.dev/v1alpha1';

/** Groups of each node; every other one is of the policy gpu, the rest of nic. */
export const groupsOfNode = 8;

const atOnce = 24;

const nodeName = (index: number): string => `node-${String(index).padStart(5, '0')}`;
const leaderOf = (group: number): string => `0000:${(0x10 + group).toString(16)}:00.0`;

function groupName(node: number, group: number): string {
  return `${nodeName(node)}-${leaderOf(group).replaceAll(/[:.]/g, '-')}`;
}

const creationTimestamp = '2026-11-23T05:17:08Z';

function metadataOf(name: string, node: string): object {
  const labels = { 'wholegroup.dev/node': node };
  return { name, labels, uid: randomUUID(), creationTimestamp, generation: 1 };
}

function groupObject(node: number, group: number): object {
  const leader = leaderOf(group);
  const [first, second] = assignedGroup.status.members;
  const members = [first, second].map((member, fn) => ({
    ...member,
    address: leader.replace(/0$/, String(fn)),
  }));
  const [name, nodeNamed] = [groupName(node, group), nodeName(node)];
  const policy = group % 2 === 0 ? 'gpu' : 'nic';
  return {
    ...{ ...assignedGroup, metadata: metadataOf(name, nodeNamed) },
    status: { ...assignedGroup.status, nodeName: nodeNamed, leader, members, policy },
  };
}

/** Every object of a node, by its key. */
function objectsOf(index: number): readonly (readonly [key: string, object: object])[] {
  const name = nodeName(index);
  const metadata = metadataOf(name, name);
  return [
    [`minions/${name}`, { apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status: {} }],
    [`wholegroup.dev/passthroughnodes/${name}`, { ...nodeObject, metadata }],
    ...Array.from({ length: groupsOfNode }, (_, group) => {
      const key = `wholegroup.dev/iommugroups/${groupName(index, group)}`;
      return [key, groupObject(index, group)] as const;
    }),
  ];
}

/** Many objects, and changes of them. */
export class Crowd implements AsyncDisposable {
  readonly #server: ApiServer;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  readonly #ca: Buffer;
  #nodes = 0;

  constructor(server: ApiServer) {
    this.#server = server;
    this.#ca = readFileSync(server.caFile);
  }

  /** Makes nodes until there are so many. */
  async grow(nodes: number, say: (text: string) => void): Promise<void> {
    const startedMs = performance.now();
    const from = this.#nodes;
    const indices = Array.from({ length: nodes - from }, (_, index) => from + index);
    await this.#server.plant(new Map(indices.flatMap(objectsOf)));
    // The server has its own copy of all this, and answers nobody with less than what etcd has.
    const path = `${api}/iommugroups?limit=1`;
    const token = this.#server.tokens.admin;
    const caughtUp = async (): Promise<boolean> =>
      (await this.#server.call({ method: 'GET', path, token })).status === 200;
    await until('the server has seen what was planted', caughtUp, { limitMs: 600_000 });
    this.#nodes = nodes;
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    say(`${nodes} nodes with ${nodes * groupsOfNode} groups, ${seconds} s for the new ones`);
  }

  /** Changes so many groups, each once, spread over the nodes: they become blocked, and at the next turn assigned. */
  async change(count: number, nodes: number): Promise<void> {
    const groups = nodes * groupsOfNode;
    await this.#all(count, async (index) => {
      const group = (index * 7) % groups;
      const turn = Math.floor(index / groups) % 2;
      const phase = turn === 0 ? 'WithHost' : 'Assigned';
      const name = groupName(Math.floor(group / groupsOfNode), group % groupsOfNode);
      await this.#patch(`${api}/iommugroups/${name}/status`, { status: { phase } });
    });
  }

  async #all(count: number, work: (index: number) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) await work(next++);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }

  #patch(path: string, body: object): Promise<void> {
    const method = 'PATCH';
    const headers = {
      authorization: `Bearer ${this.#server.tokens.admin}`,
      ...{ 'content-type': mergePatch, accept: 'application/json' },
    };
    const url = new URL(path, this.#server.url);
    return new Promise((resolve, reject) => {
      const call = request(url, { method, headers, ca: this.#ca, agent: this.#agent }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('error', reject).on('end', () => {
          if ((answer.statusCode ?? 500) < 300) resolve();
          else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 300)}`));
        });
      });
      call.on('error', reject);
      call.end(JSON.stringify(body));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await Promise.resolve();
  }
}
