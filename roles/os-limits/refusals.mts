import type { Facts, Refusal } from '../../lib/index.mts';
import type { Limits } from './limits.mts';

export function refusals(limits: Limits, facts: Pick<Facts, 'os' | 'version' | 'nrOpen'>): readonly Refusal[] {
  const found: Refusal[] = [];
  if ((facts.os === 'centos' || facts.os === 'rhel') && facts.version.split('.')[0] === '7') {
    found.push({
      kind: 'refused',
      reason: `${facts.os} 7 is out of support since 2024-06-30 and its package servers are gone`,
      hint: 'move the host to Rocky or Alma Linux 8 or 9, Debian 12 or Ubuntu 22.04 or later; kafka_managed: false and elasticsearch_managed: false still observe what runs there',
    });
  }
  if (limits.nofile > facts.nrOpen) {
    found.push({
      kind: 'refused',
      reason: `os_limits_nofile ${String(limits.nofile)} is above fs.nr_open ${String(facts.nrOpen)}: no session could be opened any more`,
      hint: `lower os_limits_nofile, or raise fs.nr_open on the host first: sysctl -w fs.nr_open=${String(limits.nofile)}`,
    });
  }
  return found;
}
