/**
 * Log4Shell (CVE-2021-44228, CVE-2021-45046) in versions that never got its fix: lookups in messages are switched off, and the class that makes
 * them is taken out of every jar.
 */
import { jarsWith, type JarSearch } from './jars.mts';
import type { Answer, Check, Judgement } from './model.mts';
import { all, attempt, shellOutput, type ShellOutput } from './questions.mts';

export const JNDI_LOOKUP = 'org/apache/logging/log4j/core/lookup/JndiLookup.class';
const FLAG = '-Dlog4j2.formatMsgNoLookups=';
export const NO_LOOKUPS = `${FLAG}true`;

interface Found {
  readonly process: ShellOutput;
  readonly jars: Answer<readonly string[]>;
}

/** `pid`: a script that prints the id of the Java process, or nothing. */
export function log4shell(pid: string, under: JarSearch['under']): Check<Found> {
  const process = shellOutput(`pid=$(${pid})\n[ -n "$pid" ] && tr '\\0' '\\n' <"/proc/$pid/cmdline"`);
  return {
    id: 'log4shell',
    ask: all({ process, jars: attempt(jarsWith({ under, entry: JNDI_LOOKUP })) }),
    judge: ({ process: { code, output }, jars }) => judgeLog4Shell(code === 0 ? output.split('\n') : undefined, jars, under),
    retry: { everyMs: 1000, deadlineMs: 5000 },
  };
}

/** `argv`: of the running process; of a repeated option Java takes the last. */
export function judgeLog4Shell(argv: readonly string[] | undefined, jars: Answer<readonly string[]>, under: string): Judgement {
  const expected = `a process with ${NO_LOOKUPS}, and no JndiLookup.class below ${under}`;
  const wrong = (found: string, hint: string): Judgement => ({ kind: 'fail', expected, found, hint });
  if (jars.kind === 'unavailable') return wrong(`jars that cannot be read: ${jars.reason}`, 'the login user needs ansible_become: true to read them');
  if (jars.value.length > 0) return wrong(`the class in ${jars.value.join(', ')}`, 'run the role again: it takes the class out and restarts what loaded it');
  if (argv === undefined) return wrong('no process', 'start the service; its role does');
  const flag = argv.findLast((argument) => argument.startsWith(FLAG));
  if (flag === NO_LOOKUPS) return { kind: 'pass', found: 'lookups are off, and no jar has their class' };
  return wrong(
    flag === undefined ? 'a process without the option' : `a process with ${flag}`,
    'run the role again: it writes jvm.options and restarts the service',
  );
}
