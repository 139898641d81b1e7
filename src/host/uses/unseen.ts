// What the walk over the processes may have missed: every use that only an open file shows is then unknown.
import type { HostUse } from '../../ownership/use.ts';
import { type UseContext, unknownUses } from '../survey/context.ts';

/** UnknownUse of every function in question, when /proc did not show all there is. */
export async function unseenUses(context: UseContext): Promise<readonly HostUse[]> {
  const { problems } = await context.processes();
  return unknownUses(context.targets, 'open files of all processes', problems);
}
