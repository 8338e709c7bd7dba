/** A playbook for tests of hosts that a provider makes: here a file stands for the machine, and a real sshd is where it is found. */
import { z } from 'zod';
import { play } from '../../../lib/play.mts';

await play(async () => {
  const { contract, controllerCommand, controllerOutput, defineControllerRole, defineRole, text } = await import('../../../lib/index.mts');
  const cloud = contract('cloud', z.strictObject({ machine: z.string(), address: z.string(), host_key: z.string(), known_hosts: z.string() }));
  const exists = (machine: string) => controllerOutput(['test', '-e', machine]).map(({ code }) => code === 0);
  const machines = defineControllerRole({
    contract: cloud,
    summary: 'makes machines',
    runs: 'controller',
    per: 'host',
    provides: 'cloud',
    resources: ({ vars }) => [
      controllerCommand('machine', {
        differs: exists(vars.machine).map((is) => (is ? [] : [{ field: 'machine', from: { kind: 'absent' }, to: { kind: 'text', text: 'made' } }])),
        argv: ['touch', vars.machine],
      }),
    ],
    locates: ({ vars }) =>
      exists(vars.machine).map((is) =>
        is
          ? {
              address: vars.address,
              hostKeyAlias: 'compute.1',
              knownHostsFile: vars.known_hosts,
              hostKeys: controllerOutput(['echo', vars.host_key]).map(({ stdout }) => [stdout]),
            }
          : undefined,
      ),
  });
  const guest = defineRole({
    contract: contract('guest', z.strictObject({})),
    summary: 'looks into machines',
    runs: 'host',
    per: 'host',
    resources: () => [],
    verify: () => [
      {
        id: 'has-a-name',
        ask: text('/etc/hostname'),
        judge: (found: string | undefined) => ({ kind: 'pass', found: found ?? 'none' }),
        retry: { everyMs: 100, deadlineMs: 300 },
      },
    ],
  });
  return {
    name: 'cloud',
    summary: 'Makes machines and looks into them.',
    stages: [
      { hosts: 'all', roles: [machines] },
      { hosts: 'all', roles: [guest] },
    ],
    catalogue: [machines, guest],
  };
});
