import { defineRole, sysctl, sysctlValue } from '../../lib/index.mts';
import { swap } from './contract.mts';

export default defineRole({
  contract: swap,
  summary: 'memory of services stays in memory',
  runs: 'host',
  per: 'host',
  resources: ({ vars }) => [sysctl('vm.swappiness', vars.swappiness, { file: '/etc/sysctl.d/90-swap.conf', because: ['swap_swappiness'] })],
  verify: ({ vars }) => [
    {
      id: 'swappiness',
      ask: sysctlValue('vm.swappiness'),
      judge: (found: string | undefined) =>
        found === String(vars.swappiness)
          ? { kind: 'pass', found: `vm.swappiness is ${found}` }
          : { kind: 'fail', expected: String(vars.swappiness), found: found ?? 'no such setting', hint: '`sysctl --system` shows which file sets it last' },
      retry: { everyMs: 1000, deadlineMs: 5000 },
    },
  ],
});
