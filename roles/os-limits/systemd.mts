/** limits.d binds logins only: what systemd starts gets the manager's default, unless its unit says otherwise. */
import { change, command, file, shellOutput, type Change, type Resource } from '../../lib/index.mts';

export const MANAGER_FILE = '/etc/systemd/system.conf.d/90-kafka-elastic-monitoring.conf';

export const managerFile = (nofile: number): string => `[Manager]\nDefaultLimitNOFILE=${String(nofile)}\n`;

/** Running services keep what they were started with. */
export function systemdDefaults(nofile: number): readonly Resource[] {
  const defaults = file(MANAGER_FILE, { content: managerFile(nofile), syntax: 'unit', parents: true, because: ['os_limits_nofile'] });
  const loaded = command('systemd default limits', {
    because: ['os_limits_nofile'],
    differs: shellOutput('systemctl show --property=DefaultLimitNOFILE,DefaultLimitNOFILESoft').map(({ output }) => readDefaults(output, nofile)),
    run: (steps) => {
      steps.sh`systemctl daemon-reload`;
    },
  });
  return [defaults, loaded];
}

export function readDefaults(output: string, nofile: number): readonly Change[] {
  const valueOf = (property: string): string => new RegExp(`^${property}=(.*)$`, 'm').exec(output)?.[1] ?? 'unknown';
  const wanted = String(nofile);
  return ['DefaultLimitNOFILE', 'DefaultLimitNOFILESoft'].flatMap((property) => {
    const have = valueOf(property);
    return have === wanted ? [] : [change(property, have, wanted)];
  });
}
