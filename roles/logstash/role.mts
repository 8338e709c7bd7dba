import {
  archive,
  chooseArchive,
  defineRole,
  jarsWith,
  JNDI_LOOKUP,
  packages,
  systemUser,
  type Check,
  type Context,
  type Refusal,
  type Resource,
} from '../../lib/index.mts';
import { proxyOf, reachable } from '../sources/contract.mts';
import { logstash, type LogstashVars } from './contract.mts';
import { CURRENT, HOME, USER } from './paths.mts';
import { stripped } from './stripped.mts';

export default defineRole<LogstashVars>({
  contract: logstash,
  summary: 'Logstash, without a pipeline: unpacked, hardened, ready for those that others add',
  runs: 'host',
  per: 'host',
  refuses,
  resources,
  standIns: ({ vars }) => {
    const what = chooseArchive('logstash', vars.version, vars).standIn;
    return what === undefined ? [] : [{ product: 'logstash', what }];
  },
  verify: () => [withoutLookups],
});

function resources({ host, vars }: Context<LogstashVars>): readonly Resource[] {
  const source = reachable(host, chooseArchive('logstash', vars.version, vars).source);
  const programs = archive({ name: 'logstash', version: vars.version, source, into: HOME, owner: 'root', stripTop: true, because: ['logstash_version'] });
  return [systemUser(USER, { home: HOME }), packages(['zip'], proxyOf(host)), programs, stripped([programs])];
}

function refuses({ host, facts }: Context<LogstashVars>): readonly Refusal[] {
  if (facts.init === 'systemd') return [];
  return [{ kind: 'usage', reason: `${host.name} has no systemd, which runs Logstash here`, hint: 'take the host out of the groups monitoring and clients' }];
}

const withoutLookups: Check<readonly string[]> = {
  id: 'log4shell-jars',
  ask: jarsWith({ under: CURRENT, entry: JNDI_LOOKUP }),
  judge: (jars) =>
    jars.length === 0
      ? { kind: 'pass', found: 'no jar has JndiLookup.class' }
      : {
          kind: 'fail',
          expected: 'no jar with JndiLookup.class',
          found: jars.join(', '),
          hint: 'run the role again: it takes the class out',
        },
  retry: { everyMs: 1000, deadlineMs: 2000 },
};
