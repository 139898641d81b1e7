// A node of a Kubernetes as a guest: a real kernel with a real IOMMU, a kubelet and a containerd. Boots from a disk of
// its own, which outlives a reboot; is looked into over its own channel; has what QEMU's monitor can do to its hardware.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeconfig } from '../api/support/server-flags.ts';
import { kubeletToken } from '../cluster/harness/cluster.ts';
import { addressOf, hubAddress, podsOf } from '../cluster/harness/node-files.ts';
import type { NodeProgram } from '../cluster/harness/node.ts';
import { succeed } from '../cluster/harness/run.ts';
import { type RunningGuest, startGuest } from '../kernel/rig/guest.ts';
import { textFile } from '../kernel/rig/initramfs.ts';
import type { KernelTree, Rig } from '../kernel/rig/rig.ts';
import type { Shape } from '../kernel/rig/shapes.ts';
import { Channel, type Said } from './channel.ts';
import { copyDisk, diskLabel, readDisk } from './disk.ts';
import { nodeFiles, nodeIndex, nodeName } from './node-root.ts';

/** What a node is made of. */
export interface NodeParts {
  readonly rig: Rig;
  readonly kernel: KernelTree;
  /** The image that its disk is a copy of. */
  readonly disk: string;
}

/** No guest lives longer: every part of a run has a deadline of its own, and this is for what has none. */
const lifeMs = 3_600_000;
const bootMs = 300_000;
const answerMs = 180_000;
const device = `wg-${nodeName}`;

/** A node. */
export class GuestNode implements AsyncDisposable {
  readonly name = nodeName;
  readonly parts: NodeParts;
  readonly #folder: string;
  #guest: RunningGuest | null = null;
  #channel: Channel | null = null;
  #keeps = false;
  #bootSeconds = 0;

  private constructor(parts: NodeParts, folder: string) {
    this.parts = parts;
    this.#folder = folder;
  }

  /** Boots one; returns when it answers. Its containerd has been started, its kubelet has not. */
  static async boot(parts: NodeParts, shape: Shape): Promise<GuestNode> {
    const folder = mkdtempSync(join(tmpdir(), 'wholegroup-node-'));
    const node = new GuestNode(parts, folder);
    await succeed('ip', ['tuntap', 'add', device, 'mode', 'tap']);
    await copyDisk(parts.disk, node.#disk);
    await node.#power(shape);
    return node;
  }

  get #disk(): string {
    return join(this.#folder, 'disk.img');
  }

  async #power(shape: Shape): Promise<void> {
    const channel = new Channel((text) => this.#guest?.write(text));
    this.#channel = channel;
    const { rig, kernel } = this.parts;
    const guest = await startGuest({
      ...{ rig, kernel, shape, deadlineMs: lifeMs },
      disks: { root: this.#disk },
      job: [textFile('job/root', diskLabel)],
      onLine: (line) => channel.hear(line),
      keeps: () => this.#keeps,
      ...{ runs: this.#folder, endsOtherwise: true },
    });
    this.#guest = guest;
    const lost = async (): Promise<void> => {
      const { how } = await guest.ended;
      channel.lost(`the guest ${how}`);
    };
    lost().catch((thrown: unknown) => channel.lost(String(thrown)));
    const late = setTimeout(() => guest.kill(), bootMs);
    try {
      this.#bootSeconds = await channel.up;
    } catch (thrown) {
      throw new Error(`no node came up:\n${this.#console()}`, { cause: thrown });
    } finally {
      clearTimeout(late);
    }
  }

  #console(): string {
    const path = join(this.#guest?.folder ?? '', 'console.log');
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-25).join('\n');
  }

  /** How long its kernel had been running when it answered, by its own clock. */
  get bootSeconds(): number {
    return this.#bootSeconds;
  }

  /** Joins it to the cluster on the bridge of this enclosure: wires its network and starts its kubelet. */
  async join(authority: string): Promise<void> {
    const pods = [podsOf(nodeIndex), 'via', addressOf(nodeIndex), 'dev', 'wg0', 'onlink'];
    await succeed('ip', ['link', 'set', device, 'master', 'wg0', 'up']);
    await succeed('ip', ['route', 'replace', ...pods]);
    const url = `https://${hubAddress}:443`;
    const access = kubeconfig(url, nodeFiles.authority, kubeletToken(nodeName));
    await this.write(nodeFiles.authority, readFileSync(authority, 'utf8'));
    await this.write(nodeFiles.kubeconfig, access);
    await this.program('start', 'kubelet');
  }

  /** Runs a script in it; what came of it. */
  async run(script: string, limitMs = answerMs): Promise<Said> {
    if (this.#channel === null) throw new Error('the node is off');
    return await this.#channel.run(script, limitMs);
  }

  /** Runs a script that has to succeed; its output. */
  async say(script: string, limitMs = answerMs): Promise<string> {
    const { status, output } = await this.run(script, limitMs);
    if (status !== 0) throw new Error(`${script}: ended with ${status}: ${output}`);
    return output.trimEnd();
  }

  async write(path: string, text: string): Promise<void> {
    const encoded = Buffer.from(text).toString('base64');
    await this.say(`echo ${encoded} | base64 -d >${path}`);
  }

  /** Starts or ends one of its programs; its pods and containers go on. */
  async program(
    what: 'start' | 'stop' | 'kill' | 'pause' | 'resume',
    which: NodeProgram,
  ): Promise<void> {
    await this.say(`node-program ${what} ${which}`);
  }

  /** Returns when its kubelet says of itself that it is well. */
  async kubeletIsWell(): Promise<void> {
    const well = '[ "$(wget -q -O - http://127.0.0.1:10248/healthz)" = ok ]';
    await this.say(`until ${well}; do sleep 1; done`);
  }

  /** Tells QEMU's monitor a command; what it answered. */
  async monitor(command: string): Promise<string> {
    if (this.#guest === null) throw new Error('the node is off');
    return await this.#guest.monitor(command);
  }

  /** Every endpoint of a function's group with its driver and its override, by sysfs. */
  async bindings(address: string): Promise<string> {
    return await this.say(`bindings ${address}`);
  }

  /** Endpoints of a function's group. */
  async endpoints(address: string): Promise<readonly string[]> {
    const lines = (await this.bindings(address)).split('\n');
    return lines.map((line) => line.slice(0, line.indexOf(' ')));
  }

  /** Number of the group in which a function stands. */
  async group(address: string): Promise<string> {
    return await this.say(`basename $(readlink /sys/bus/pci/devices/${address}/iommu_group)`);
  }

  /** Its power is cut, and it boots again as another machine with the same disk; the kubelet is started. */
  async reboot(shape: Shape): Promise<void> {
    await this.say('sync');
    this.#guest?.kill();
    await this.#guest?.ended;
    await this.#power(shape);
    await this.program('start', 'kubelet');
  }

  /** Logs and console are kept when it ends, in a folder of that name. */
  async keep(folder: string): Promise<void> {
    this.#keeps = true;
    await this.run('dmesg >/var/log/dmesg; sync', 30_000).catch(() => undefined);
    const run = this.#guest?.folder;
    this.#guest?.kill();
    await this.#guest?.ended;
    mkdirSync(folder, { recursive: true });
    if (run !== undefined) {
      const filter = (path: string): boolean => !path.endsWith('.img');
      cpSync(run, join(folder, 'guest'), { recursive: true, filter });
      rmSync(run, { recursive: true, force: true });
    }
    await readDisk(this.parts.rig, this.#disk, '/var/log', folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#guest?.kill();
    await this.#guest?.ended;
    await succeed('ip', ['link', 'delete', device]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
