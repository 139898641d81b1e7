// Nodes, PassthroughNodes and IOMMUGroups in numbers, as their agents would have made them: through the API, over kept
// connections, a few requests at a time.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { ApiServer } from '../../test/api/support/api-server.ts';
import { assignedGroup, nodeObject } from '../../test/api/objects/group-objects.ts';

const api = '/apis/wholegroup.dev/v1alpha1';

/** Groups of each node; every other one is of the policy gpu, the rest of nic. */
export const groupsOfNode = 8;

const atOnce = 24;

type Method = 'POST' | 'PATCH';

const nodeName = (index: number): string => `node-${String(index).padStart(5, '0')}`;
const leaderOf = (group: number): string => `0000:${(0x10 + group).toString(16)}:00.0`;

function groupName(node: number, group: number): string {
  return `${nodeName(node)}-${leaderOf(group).replaceAll(/[:.]/g, '-')}`;
}

function groupBody(node: number, group: number): { metadata: object; status: object } {
  const leader = leaderOf(group);
  const [first, second] = assignedGroup.status.members;
  const members = [first, second].map((member, fn) => ({
    ...member,
    address: leader.replace(/0$/, String(fn)),
  }));
  const labels = { 'wholegroup.dev/node': nodeName(node) };
  const policy = group % 2 === 0 ? 'gpu' : 'nic';
  return {
    metadata: { name: groupName(node, group), labels },
    status: { ...assignedGroup.status, nodeName: nodeName(node), leader, members, policy },
  };
}

/** Many objects, and changes of them. */
export class Crowd implements AsyncDisposable {
  readonly #server: ApiServer;
  readonly #contentType: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  readonly #ca: Buffer;
  #nodes = 0;

  constructor(server: ApiServer, patchType: string) {
    this.#server = server;
    this.#contentType = patchType;
    this.#ca = readFileSync(server.caFile);
  }

  /** Makes nodes until there are so many. */
  async grow(nodes: number, say: (text: string) => void): Promise<void> {
    const startedMs = performance.now();
    const from = this.#nodes;
    await this.#all(nodes - from, (index) => this.#makeNode(from + index));
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
      await this.#send('PATCH', `${api}/iommugroups/${name}/status`, { status: { phase } });
    });
  }

  async #makeNode(index: number): Promise<void> {
    const name = nodeName(index);
    await this.#send('POST', '/api/v1/nodes', { metadata: { name, labels: { pool: 'bench' } } });
    const { apiVersion } = nodeObject;
    const own = { apiVersion, kind: 'PassthroughNode', metadata: { name } };
    await this.#send('POST', `${api}/passthroughnodes`, own);
    for (let group = 0; group < groupsOfNode; group++) {
      const { metadata, status } = groupBody(index, group);
      await this.#send('POST', `${api}/iommugroups`, { apiVersion, kind: 'IOMMUGroup', metadata });
      const path = `${api}/iommugroups/${groupName(index, group)}/status`;
      await this.#send('PATCH', path, { status });
    }
  }

  async #all(count: number, work: (index: number) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) await work(next++);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }

  #send(method: Method, path: string, body: object): Promise<void> {
    const type = method === 'PATCH' ? this.#contentType : 'application/json';
    const headers = {
      authorization: `Bearer ${this.#server.tokens.admin}`,
      ...{ 'content-type': type, accept: 'application/json' },
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
