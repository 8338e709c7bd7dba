import { fresh, shellOutput, sysctlValue, type Check, type Judgement } from '../../lib/index.mts';
import { parseProcessLimits, showLimit, type Limited, type ProcessLimits } from './contract.mts';
import type { Limits } from './limits.mts';

export interface SessionLimits extends ProcessLimits {
  /** Has CAP_SYS_RESOURCE, which raising a hard limit needs. */
  readonly mayRaise: boolean;
}

const CAP_SYS_RESOURCE = 1n << 24n;

/** Reads /proc/self/limits and /proc/self/status, one after the other. */
export function readSession(text: string): SessionLimits {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(text)?.[1] ?? '0';
  return { ...parseProcessLimits(text), mayRaise: (BigInt(`0x${capabilities}`) & CAP_SYS_RESOURCE) !== 0n };
}

/** What a login that starts now gets; the session that wrote the limits keeps its old ones. */
export function sessionLimits(wanted: Limits): Check<SessionLimits> {
  return {
    id: 'session-limits',
    ask: fresh(shellOutput('cat /proc/self/limits /proc/self/status')).map(({ output }) => readSession(output)),
    judge: (session) => judgeSession(wanted, session),
    retry: { everyMs: 1000, deadlineMs: 5000 },
  };
}

export function judgeSession(wanted: Limits, session: SessionLimits): Judgement {
  const rows = [
    { name: 'open files', want: wanted.nofile, have: session.nofile },
    { name: 'processes', want: least(wanted.nproc), have: session.nproc },
    { name: 'bytes of locked memory', want: least(wanted.memlock) * 1024, have: session.memlock },
  ].filter((row) => row.want > 0);
  const low = rows.filter(({ want, have }) => !(have.soft >= want && have.hard >= want));
  const [first] = low;
  if (first === undefined) return { kind: 'pass', found: `a new session has ${rows.map(say).join(', ')} (soft/hard)` };
  return {
    kind: 'fail',
    expected: low.map(({ name, want }) => `${showLimit(want)} ${name}`).join(', '),
    found: `${low.map(say).join(', ')} (soft/hard) in a new session`,
    hint: session.mayRaise
      ? 'the limits are written, but logins do not apply them: look for `UsePAM no` in sshd_config, pam_limits missing in /etc/pam.d, and later files in /etc/security/limits.d'
      : `the limits are written, but nobody here may raise a hard limit (no CAP_SYS_RESOURCE, as in many containers): raise it where the machine is started, or lower os_limits_nofile to ${showLimit(session.nofile.hard)}`,
  };
}

const least = (value: number | 'unlimited' | undefined): number => (value === undefined ? 0 : value === 'unlimited' ? Infinity : value);
const say = ({ name, have }: { name: string; have: Limited }): string => `${showLimit(have.soft)}/${showLimit(have.hard)} ${name}`;

/** Judged by the running kernel: a file alone changes nothing until the next boot. */
export function mapCount(wanted: number): Check<string | undefined> {
  return {
    id: 'max-map-count',
    ask: sysctlValue('vm.max_map_count'),
    judge: (found) =>
      Number(found) >= wanted
        ? { kind: 'pass', found: `vm.max_map_count is ${String(found)}` }
        : { kind: 'fail', expected: `at least ${String(wanted)}`, found: found ?? 'no such key', hint: '`sysctl --system` shows which file sets it last' },
    retry: { everyMs: 1000, deadlineMs: 5000 },
  };
}
