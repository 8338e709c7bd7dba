import { defineRole, file, sysctl, type Facts, type Resource } from '../../lib/index.mts';
import { openFiles, osLimits } from './contract.mts';
import { limitsFile, type Limits } from './limits.mts';
import { refusals } from './refusals.mts';
import { systemdDefaults } from './systemd.mts';
import { mapCount, sessionLimits } from './verify.mts';

export const LIMITS_FILE = '/etc/security/limits.d/90-kafka-elastic-monitoring.conf';
export const SYSCTL_FILE = '/etc/sysctl.d/90-kafka-elastic-monitoring.conf';

export default defineRole({
  contract: osLimits,
  summary: 'open files, processes, locked memory and memory maps as Elasticsearch needs them',
  runs: 'host',
  per: 'host',
  refuses: ({ vars, facts }) => refusals(limitsFor(vars, facts), facts),
  resources: ({ vars, facts }) => [
    onlyIfPossible(
      limitsFor(vars, facts).nofile,
      file(LIMITS_FILE, {
        content: limitsFile(limitsFor(vars, facts)),
        syntax: 'lines',
        because: ['os_limits_nofile', 'os_limits_nproc', 'os_limits_memlock'],
      }),
    ),
    ...(facts.init === 'systemd' ? systemdDefaults(limitsFor(vars, facts).nofile) : []),
    sysctl('vm.max_map_count', String(vars.max_map_count), { file: SYSCTL_FILE, atLeast: true, because: ['os_limits_max_map_count'] }),
  ],
  verify: ({ vars, facts }) => [sessionLimits(limitsFor(vars, facts)), mapCount(vars.max_map_count)],
});

type Vars = NonNullable<(typeof osLimits)['typeOfVariables']>;
const limitsFor = (vars: Vars, facts: Facts): Limits => ({ ...vars, nofile: openFiles(vars.nofile, facts) });

/** A limit that the kernel does not grant locks everybody out at the next login (pam_limits fails), so it is tried before it is written. */
function onlyIfPossible(nofile: number, limits: Resource): Resource {
  return {
    ...limits,
    apply: (changes, steps) => {
      steps.sh`wanted=${nofile}
(ulimit -n "$wanted") 2>/dev/null || { echo "this host does not grant $wanted open files (its hard limit is $(ulimit -Hn)): writing that limit would end every login; lower os_limits_nofile" >&2; exit 1; }`;
      limits.apply(changes, steps);
    },
  };
}
