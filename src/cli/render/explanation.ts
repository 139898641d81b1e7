// One device explained: where it stands, every reason against giving its group away, and what to do.
import type { Blocker } from '../../ownership/blockers.ts';
import type { Paint } from './paint.ts';
import type { GroupReport, MemberReport } from './report.ts';

function memberLine(member: MemberReport, address: string, last: boolean, paint: Paint): string {
  const branch = last ? '└─' : '├─';
  const name = member.address === address ? paint('strong', member.address) : member.address;
  const driver = member.driver === null ? 'no driver' : `driver ${member.driver}`;
  const role = member.role === 'bridge' ? ', a bridge: stays with the host' : '';
  return `  ${branch} ${name}  ${member.id}  ${member.description}, ${driver}${role}`;
}

function blockerLines(blocker: Blocker, index: number, paint: Paint): readonly string[] {
  return [
    `  ${index + 1}. ${paint('bad', blocker.kind)}: ${blocker.message}`,
    `     ${paint('dim', 'evidence')} ${blocker.evidence.path} says "${blocker.evidence.says}"`,
    `     ${paint('dim', 'remedy')}   ${blocker.remedy}`,
  ];
}

/** The explanation as lines. */
export function explanationLines(
  address: string,
  group: GroupReport,
  paint: Paint,
): readonly string[] {
  const count = group.members.length;
  const others = count === 1 ? 'alone' : `with ${count - 1} other${count === 2 ? '' : 's'}`;
  const heading = `${paint('strong', address)} is in IOMMU group ${group.group}, ${others}; owner ${group.owner}`;
  const members = group.members.map((member, index) =>
    memberLine(member, address, index === count - 1, paint),
  );
  if (group.releasable) {
    const whole = count === 1 ? 'It' : 'The whole group';
    return [heading, ...members, '', paint('good', `${whole} can be released to userspace now.`)];
  }
  const reasons = group.blockers.length;
  const title =
    reasons === 1
      ? 'It cannot be released, for one reason:'
      : `It cannot be released, for ${reasons} reasons:`;
  return [
    heading,
    ...members,
    '',
    paint('bad', title),
    ...group.blockers.flatMap((blocker, index) => blockerLines(blocker, index, paint)),
  ];
}
