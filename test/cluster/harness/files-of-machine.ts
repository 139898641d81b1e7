// Files of a machine that is made of namespaces, as this process reaches them: through the root of its first process.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The files of one machine. */
export abstract class FilesOfMachine {
  /** The first process of the machine, as this process sees it. */
  abstract get init(): number;

  /** A path of the machine as this process reaches it. Unix sockets too. */
  path(inside: string): string {
    return `/proc/${this.init}/root${inside}`;
  }

  read(inside: string): string {
    return readFileSync(this.path(inside), 'utf8');
  }

  write(inside: string, text: string): void {
    mkdirSync(dirname(this.path(inside)), { recursive: true });
    writeFileSync(this.path(inside), text);
  }

  erase(inside: string): void {
    rmSync(this.path(inside));
  }
}
