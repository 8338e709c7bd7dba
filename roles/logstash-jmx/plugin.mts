/** The plugin that speaks JMX: not in Logstash's archive. */
import {
  change,
  command,
  isAssembled,
  known,
  localFile,
  refine,
  shellOutput,
  unavailable,
  type Change,
  type Fetch,
  type Host,
  type Input,
  type Proxy,
  type Resource,
} from '../../lib/index.mts';
import { CURRENT, logstash } from '../logstash/contract.mts';
import { proxyOf } from '../sources/contract.mts';
import type { LogstashJmxVars } from './contract.mts';

const PLUGIN = 'logstash-input-jmx';
/** What is installed, in words that are known beforehand: a start of the service is compared with it. */
const STAMP = `${CURRENT}/.${PLUGIN}`;
const stampOf = ({ plugin_version: version }: LogstashJmxVars): string => `${version}\n`;

export const pluginInput = (vars: LogstashJmxVars): Input => ({ path: STAMP, content: stampOf(vars) });

/** Looked up without starting Java: the gem's directory, and the line by which Logstash loads it. */
const LOOK = `cd ${CURRENT} 2>/dev/null || exit 0
for gem in vendor/bundle/jruby/*/gems/${PLUGIN}-[0-9]*; do [ ! -d "$gem" ] || printf 'gem %s\\n' "\${gem##*-}"; done
if grep -q '^gem "${PLUGIN}"' Gemfile; then echo listed; fi
if [ -f ${STAMP} ]; then printf 'stamp %s\\n' "$(cat ${STAMP})"; fi`;

const GEMS = 'https://rubygems.org/';
const INSTEAD = 'logstash_jmx_plugin_pack, an offline pack that is sent from here';

/** The tool takes a proxy from its environment only, where no password may be. */
const proxyFor = (host: Host): Proxy | undefined => {
  const { proxy } = proxyOf(host);
  return proxy?.user === undefined ? proxy : undefined;
};

/** Where the plugin comes from when nobody sends it; an archive that the lab assembled has it inside. */
function online(host: Host, { plugin_version: version, plugin_pack: pack }: LogstashJmxVars): { readonly fetches?: Fetch } {
  const own = host.vars(logstash);
  if (pack !== undefined || isAssembled('logstash', own.version, own)) return {};
  const proxy = proxyFor(host);
  return { fetches: { kind: 'archive', url: GEMS, ...(proxy === undefined ? {} : { proxy }), stamp: { path: STAMP, line: version }, instead: INSTEAD } };
}

export function jmxPlugin(host: Host, vars: LogstashJmxVars, javaHome: string | undefined): Resource {
  const { plugin_version: version, plugin_pack: given } = vars;
  const pack = given === undefined ? undefined : localFile(given, 'logstash_jmx_plugin_pack');
  const differs = refine(shellOutput(LOOK), ({ code, output }) => {
    if (code !== 0) return unavailable(output.trim());
    const lines = output.trim().split('\n');
    const found = lines.flatMap((line) => (line.startsWith('gem ') ? [line.slice('gem '.length)] : []));
    if (!found.includes(version) || !lines.includes('listed'))
      return known<readonly Change[]>([change('installed', found.length === 0 ? { kind: 'absent' } : found.join(', '), version)]);
    return known<readonly Change[]>(lines.includes(`stamp ${version}`) ? [] : [change('recorded', { kind: 'absent' }, version)]);
  });
  return command(`plugin ${PLUGIN}`, {
    because: ['logstash_jmx_plugin_version'],
    wanted: version,
    differs,
    ...online(host, vars),
    run: (steps, changes) => {
      if (changes.some(({ field }) => field === 'installed')) {
        const local = `${CURRENT}/.${PLUGIN}.zip`;
        if (pack !== undefined) {
          steps.within(UPLOAD_SECONDS, (bounded) => {
            bounded.upload(pack.path, local);
          });
        }
        const wanted = pack === undefined ? ['--version', version, PLUGIN] : [`file://${local}`];
        steps.within(INSTALL_SECONDS, (bounded) => {
          // The tool takes the options of a running Logstash for its own, a JMX port with them, and Logstash's own Java needs Logstash's own Java options.
          bounded.sh`home=${CURRENT} java=${javaHome ?? ''} pack=${pack === undefined ? '' : local} proxy=${pack === undefined ? (proxyFor(host)?.url ?? '') : ''}
trap '[ -z "$pack" ] || rm -f -- "$pack"' EXIT
trap 'exit 143' HUP INT TERM
unset LS_JAVA_OPTS JAVA_OPTS JAVA_TOOL_OPTIONS
if [ -x "$home/jdk/bin/java" ] || [ -z "$java" ]; then unset JAVA_HOME; else export JAVA_HOME="$java"; fi
[ -z "$proxy" ] || export http_proxy="$proxy" https_proxy="$proxy"
cd "$home"
set -- ${wanted[0] ?? ''} ${wanted[1] ?? ''} ${wanted[2] ?? ''}
[ -n "\${3-}" ] || set -- "$1"
bin/logstash-plugin install "$@" </dev/null || { say "bin/logstash-plugin install $* failed: a host without a way to rubygems.org needs logstash_jmx_plugin_pack"; exit 1; }
# Gems keep the modes of their authors; the service is another user.
chmod -R a+rX -- vendor/bundle Gemfile Gemfile.lock`;
        });
      }
      steps.put(STAMP, stampOf(vars), { mode: 0o644, owner: 'root', group: 'root' });
    },
  });
}

const UPLOAD_SECONDS = 600;
const INSTALL_SECONDS = 900;
