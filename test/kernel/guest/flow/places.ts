// Where the agent of a guest keeps its things, and the agent as a process that can be killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { GroupView } from '../../../../src/agent/view.ts';
import { agentNodeFlags } from '../../../../scripts/agent-flags.ts';
import { type KnifeOrder, knifePlaces } from './knife.ts';
import { until } from './waiting.ts';

/** Folders and numbers of one agent. */
export interface AgentPlaces {
  readonly policies: string;
  readonly stateDir: string;
  readonly kubeletDir: string;
  readonly cdiDir: string;
  readonly port: number;
  readonly kubeletReadySeconds: number;
}

/** How late the event loop was, milliseconds. */
export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const logFile = '/run/flow/agent.log';
const bundle = '/opt/wholegroup/main.js';
const underKnife = '/opt/wholegroup/knife-agent.mjs';

/** The agent of the guest: none at first, one at most. */
export class GuestAgent {
  readonly places: AgentPlaces;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #serial = 0;
  #which: 'shipped' | 'under the knife' | null = null;

  constructor(places: AgentPlaces) {
    this.places = places;
  }

  /** Runs the bundle as it ships: the one that runs already, or a new one. */
  async ship(): Promise<void> {
    if (this.isAlive && this.#which === 'shipped') return;
    if (this.isAlive) await this.end('SIGTERM');
    await this.start('shipped');
  }

  /** Starts the bundle as it ships, or the same agent under the knife; resolves when it is registered. */
  async start(which: 'shipped' | 'under the knife', stateDir?: string): Promise<void> {
    if (this.isAlive) await this.end('SIGTERM');
    // With another folder it knows nothing of what the next scene expects.
    this.#which = stateDir === undefined ? which : null;
    const places = { ...this.places, ...(stateDir === undefined ? {} : { stateDir }) };
    const log = openSync(logFile, 'a');
    const args =
      which === 'shipped'
        ? [...agentNodeFlags, bundle, ...agentArguments(places)]
        : [...agentNodeFlags, underKnife, JSON.stringify(places)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    await until('the agent is ready', async () => {
      if (!this.isAlive) throw new Error(`the agent ended\n${this.lastLog()}`);
      const ready = await fetch(`http://127.0.0.1:${places.port}/readyz`).catch(() => null);
      return ready?.ok === true;
    });
  }

  /** True while its process runs. */
  get isAlive(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** Its process. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Signals it and resolves when it has ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#child?.kill(signal);
    await this.#ended;
  }

  /** Resolves when the knife has ended it. */
  async diedOfKnife(): Promise<void> {
    await until('the knife ends the agent', () => !this.isAlive);
  }

  /** Orders the knife. */
  order(what: KnifeOrder['what'], write: number): void {
    this.#serial += 1;
    rmSync(knifePlaces.held, { force: true });
    writeFileSync(knifePlaces.order, JSON.stringify({ what, write, serial: this.#serial }));
  }

  /** The knife does nothing from now on; a write that is held goes on. */
  sheathe(): void {
    writeFileSync(knifePlaces.order, '');
  }

  /** Resolves with the write that is held. */
  held(): Promise<string> {
    return until('a write is held', () => {
      const text = existsSync(knifePlaces.held) ? readFileSync(knifePlaces.held, 'utf8') : '';
      return text === '' ? null : text;
    });
  }

  /** What it publishes about the group of `leader`; null while it does not answer or has none. */
  async view(leader: string): Promise<GroupView | null> {
    const response = await fetch(`http://127.0.0.1:${this.places.port}/groups`).catch(() => null);
    if (response === null) return null;
    const views = (await response.json()) as readonly GroupView[];
    return views.find((view) => view.leader === leader) ?? null;
  }

  /** How late its event loop was since this was asked last, from its own metrics. */
  async loopDelay(): Promise<LoopDelay> {
    const response = await fetch(`http://127.0.0.1:${this.places.port}/metrics`);
    const text = await response.text();
    const quantile = (of: string): number => {
      const line = `^wholegroup_event_loop_delay_seconds\\{quantile="${of}"\\} (\\S+)$`;
      return Math.round(Number(new RegExp(line, 'm').exec(text)?.[1]) * 1e5) / 100;
    };
    return { p99Ms: quantile('0.99'), maxMs: quantile('1') };
  }

  /** The end of its log. */
  lastLog(lines = 12): string {
    if (!existsSync(logFile)) return '';
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

function agentArguments(places: AgentPlaces): readonly string[] {
  return [
    ...['agent', '--policies', places.policies, '--state', places.stateDir],
    ...['--kubelet-dir', places.kubeletDir, '--cdi-dir', places.cdiDir],
    ...['--kubelet-ready-seconds', String(places.kubeletReadySeconds)],
    ...['--listen', `127.0.0.1:${places.port}`, '--node-name', 'guest'],
  ];
}
