// One run of vfio-user: a program that opens a group, maps memory for DMA, reads its devices, and holds them until
// it is killed, as a virtual machine or DPDK would.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that holds a group. */
export class VfioProgram {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #said: string[] = [];

  private constructor(args: readonly string[]) {
    this.#child = spawn('vfio-user', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /** Starts it; resolves when it holds the devices, and rejects with what it said when it could not open them. */
  static start(group: string, addresses: readonly string[]): Promise<VfioProgram> {
    return VfioProgram.#started([group, ...addresses]);
  }

  /** The same by the files of the devices, and /dev/iommu. */
  static startByFiles(paths: readonly string[]): Promise<VfioProgram> {
    return VfioProgram.#started(['--files', ...paths]);
  }

  static async #started(args: readonly string[]): Promise<VfioProgram> {
    const program = new VfioProgram(args);
    const holding = new Promise<void>((resolve) => {
      createInterface({ input: program.#child.stdout ?? process.stdin }).on('line', (line) => {
        program.#said.push(line);
        if (line === 'holding') resolve();
      });
    });
    await Promise.race([holding, program.#ended]);
    if (program.#said.includes('holding')) return program;
    throw new Error(`vfio-user ${args.join(' ')}: ${program.#said.join('; ')}`);
  }

  /** Its lines so far: every step, and vendor and device as read from each function. */
  get said(): readonly string[] {
    return this.#said;
  }

  /** True while it runs. */
  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGKILL; resolves when it has ended, and with it every file it had open. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
