import { defineRole, packages, shellOutput, type Check } from '../../lib/index.mts';
import { proxyOf } from '../sources/contract.mts';
import { java, javaHome, javaPackage } from './contract.mts';

export default defineRole({
  contract: java,
  summary: 'a Java runtime at a known path',
  runs: 'host',
  per: 'host',
  resources: ({ host, vars, facts }) =>
    vars.home === undefined ? [packages([javaPackage(vars, facts)], { because: ['java_version'], ...proxyOf(host) })] : [],
  verify: ({ vars, facts }) => [runs(javaHome(vars, facts), vars.home === undefined ? vars.version : undefined)],
});

/** JAVA_HOME holds a Java, of the wanted major version where one is wanted. Read from `release`, since starting a JVM costs half a second. */
function runs(home: string, version: string | undefined): Check<{ code: number; output: string }> {
  return {
    id: 'java-home',
    ask: shellOutput(`[ -x ${home}/bin/java ] && sed -n 's/^JAVA_VERSION=//p' ${home}/release 2>/dev/null`),
    judge: ({ code, output }) => {
      const found = output.trim().replaceAll('"', '');
      if (code === 0 && (version === undefined || found.split('.')[0] === version)) return { kind: 'pass', found: `Java ${found} at ${home}` };
      const hint = version === undefined ? 'java_home names no Java on this host' : 'another package may own this path: look at `ls -l /usr/lib/jvm`';
      return { kind: 'fail', expected: `${home}/bin/java${version === undefined ? '' : ` of version ${version}`}`, found: found || 'nothing there', hint };
    },
    retry: { everyMs: 1000, deadlineMs: 2000 },
  };
}
