// The capabilities that the chart gives to the agent, on a kernel of its own and control groups of version 2: with all of
// them groups are offered; without one, what is missed is seen, and nothing is offered that nobody has looked at.
import assert from 'node:assert/strict';
import { agentCapabilities } from '../../cluster/stage/shipped.ts';
import { flowGroups } from '../../kernel/guest/flow/groups.ts';
import type { NodeStage } from '../node-stage.ts';
import type { Scene } from '../scene.ts';
import { upgrade } from '../upgrade.ts';

const group = flowGroups.nic;

/** The masks of the agent's first process, as the guest's kernel has them. */
async function masks(at: NodeStage): Promise<string> {
  const folder = await at.controlGroup(await at.stage.productPod('agent'));
  return await at.guest.say(
    `grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/$(head -n 1 ${folder}/cgroup.procs)/status`,
  );
}

const bits: Readonly<Record<string, bigint>> = {
  DAC_READ_SEARCH: 2n,
  SYS_PTRACE: 19n,
  SYS_ADMIN: 21n,
};

async function takenAway(at: NodeStage): Promise<void> {
  const { stage } = at;
  const given = agentCapabilities();
  const mask = given.reduce((sum, name) => sum | (1n << (bits[name] ?? 63n)), 0n);
  const shipped = await masks(at);
  assert.match(shipped, new RegExp(`CapEff:\\s+${mask.toString(16).padStart(16, '0')}`));
  assert.match(shipped, /NoNewPrivs:\s+1\nSeccomp:\s+2/);
  await stage.untilAllocatable(group.resource, 1);
  for (const name of ['SYS_PTRACE', 'DAC_READ_SEARCH']) {
    const rest = given.filter((each) => each !== name);
    await upgrade(at, [`agent.capabilities={${rest.join(',')}}`]);
    await stage.untilGroup(group.leader, `is blocked without ${name}`, ({ blockers = [] }) =>
      blockers.some(({ kind }) => kind === 'UnknownUse'),
    );
    await stage.untilAllocatable(group.resource, 0);
  }
  await upgrade(at, []);
  await stage.untilAllocatable(group.resource, 1);
}

/** One by one. */
export const capabilities: Scene = {
  name: 'the agent has the capabilities of the chart and no other, and without one it offers nothing unseen',
  play: takenAway,
};
