// What is compared of two runs of one kernel script, and what is not, because Linux itself does not fix it:
// - durations (`~50ms`);
// - the number of a temperature sensor, where several NVMe controllers start side by side at boot;
// - the order of child processes' lines among themselves while nothing else is printed (who of two that
//   become runnable prints first), and the empty line that ends what a child read;
// - what a shell prints that uses more than the little shell knows (one line: dd | tr, cat, $?);
// - the monitor's echo, the kernel log and the elapsed time that a recording appended.

const isAsync = (line: string): boolean => line.startsWith('   [async ');

/** The second and later lines of a text that was read stand at the margin, where only commands and marks do. */
const goesOn = (line: string): boolean => /^[^ >@]/.test(line);

/** How a recording is compared. */
export interface Comparing {
  /** Numbers of temperature sensors are not compared. */
  readonly anySensor: boolean;
  /**
   * What a child printed counts where the program has waited for it. On a real kernel two children that go on at the
   * same moment race with the program itself: whose line comes first says nothing.
   */
  readonly anyRace?: boolean;
}

/** Moves each child's line to where the program says that the child is done; what nobody waited for, to the end. */
function whereWaitedFor(lines: readonly string[]): string[] {
  const said = new Map<string, string[]>();
  for (const line of lines.filter(isAsync)) {
    const name = /^ {3}\[async (\S+)\]/.exec(line)?.[1] ?? '';
    said.set(name, [...(said.get(name) ?? []), line]);
  }
  const kept: string[] = [];
  let waitsFor = '';
  for (const line of lines.filter((each) => !isAsync(each))) {
    const wait = /^> wait (\S+)/.exec(line);
    if (wait !== null) waitsFor = wait[1] ?? '';
    if (line.startsWith('   -> done')) {
      kept.push(...(said.get(waitsFor) ?? []));
      said.delete(waitsFor);
    }
    kept.push(line);
  }
  return [...kept, ...[...said.values()].flat().sort()];
}

/** What a worker of the NVMe driver announces, on 6.1 beside the probe that has started it. */
const isOfNvmeWorker = (line: string): boolean =>
  /^ {3}uevent (?:add@\S+\/nvme\/nvmeN\/hwmon|change@\S+\/nvme\/nvmeN )/.test(line);

/**
 * Moves the bind of an NVMe disk behind what its worker announces: on 6.1 the probe only starts the worker (nvme_probe,
 * nvme_reset_work), and either may come first.
 */
function bindBehindWorker(events: readonly string[]): string[] {
  const kept: string[] = [];
  for (const line of events) {
    const before = kept.at(-1);
    const isBind = before !== undefined && /^ {3}uevent bind@.* DRIVER=nvme /.test(before);
    if (isBind && isOfNvmeWorker(line)) kept.splice(-1, 0, line);
    else kept.push(line);
  }
  return kept;
}

/** Events that came together, those of one function after those of another; those of one stay as they came. */
function inOrderOfFunctions(lines: readonly string[]): string[] {
  // The node of a group belongs to no function; two groups are as much apart as two functions.
  const functionOf = (line: string): string =>
    /([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]|virtual\/vfio\/\S+)(?!.*[0-9a-f]{2}\.[0-7])/.exec(
      line.split('|')[0] ?? '',
    )?.[1] ?? '';
  const sorted: string[] = [];
  let events: string[] = [];
  for (const line of [...lines, '']) {
    if (line.startsWith('   uevent ')) events.push(line);
    else {
      sorted.push(
        ...bindBehindWorker(
          events.sort((a, b) =>
            functionOf(a) < functionOf(b) ? -1 : functionOf(a) > functionOf(b) ? 1 : 0,
          ),
        ),
        line,
      );
      events = [];
    }
  }
  return sorted.slice(0, -1);
}

/** Lines of a run without what Linux does not fix. */
export function comparable(lines: readonly string[], how: Comparing): string[] {
  const { anySensor, anyRace = false } = how;
  const kept: string[] = [];
  let concurrent: string[] = [];
  let shellIsSkipped = false;
  const flush = (): void => {
    kept.push(...concurrent.sort());
    concurrent = [];
  };
  for (const raw of lines) {
    if (raw.startsWith('@@DMESG')) break;
    if (raw.startsWith('   [mon]') || /^\[ +\d+\.\d+\]/.test(raw) || raw === '') continue;
    if (raw.startsWith('> ')) shellIsSkipped = raw.startsWith('> sh dd ');
    else if (shellIsSkipped) continue;
    const timeless = raw.replace(/~\d+ms/, '~Nms');
    const placed = anySensor ? timeless.replace(/hwmon\d+/, 'hwmonN') : timeless;
    const line = anyRace ? placed.replace(/\b(nvme-subsys|nvme|ng)\d+/g, '$1N') : placed;
    if (isAsync(line)) concurrent.push(line);
    else if (concurrent.length > 0 && goesOn(line)) concurrent.push(`${concurrent.pop()}\n${line}`);
    else {
      flush();
      kept.push(line);
    }
  }
  flush();
  const whole = kept.filter((line) => !line.startsWith('@@DONE'));
  return anyRace ? inOrderOfFunctions(whereWaitedFor(whole)) : whole;
}
