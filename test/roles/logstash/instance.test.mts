import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { Secret } from '../../../lib/index.mts';
import { instance, logstash, type Instance } from '../../../roles/logstash/contract.mts';
import role from '../../../roles/logstash/role.mts';
import { context, find, steps } from '../support.mts';
import { chain } from './world.mts';

const here = (vars = '{}') => context(logstash, chain({ vars }), 'mon');
const spec: Instance = { name: 'x', description: 'Logstash x', heap: '256m', apiPort: 9600, pipeline: 'input {}\noutput {}\n' };
const login = { user: 'monitor', password: new Secret('pw-of-jmx', 'env:X') };
const jmx = { address: '10.0.0.31', port: 9998, login };

describe('the logstash role', () => {
  it('installs, and takes the lookup class out of every jar', () => {
    expect(role.resources(here()).map(({ id }) => id)).to.deep.equal(['user logstash', 'packages zip', 'archive logstash', 'log4shell']);
  });
  it('needs systemd', () => {
    const refused = role.refuses?.(context(logstash, chain(), 'mon', { init: 'none' }));
    expect(refused?.[0]?.reason).to.equal('mon has no systemd, which runs Logstash here');
    expect(role.refuses?.(here())).to.deep.equal([]);
  });
  it('names a jar that still has the class', () => {
    const [check] = role.verify?.(here()) ?? [];
    expect(check?.judge([], undefined)).to.include({ kind: 'pass' });
    expect(check?.judge(['logstash-core/lib/jars/log4j-core-2.13.3.jar'], undefined)).to.include({
      kind: 'fail',
      found: 'logstash-core/lib/jars/log4j-core-2.13.3.jar',
    });
  });
});

describe('an instance of Logstash', () => {
  it('has everything of its own, and its pipeline is there before it starts', () => {
    expect(instance(here(), { ...spec, jmx }).map(({ id }) => id)).to.deep.equal([
      'logstash is installed',
      'directory /etc/logstash-x',
      'directory /var/lib/logstash-x',
      'directory /var/log/logstash-x',
      'file /etc/logstash-x/logstash.yml',
      'file /etc/logstash-x/jvm.options',
      'file /etc/logstash-x/log4j2.properties',
      'file /etc/logstash-x/jmxremote.password',
      'file /etc/logstash-x/jmxremote.access',
      'file /etc/logstash-x/pipeline.conf',
      'unit logstash-x.service',
      'start-record logstash-x.service',
      'unit logstash-x.service.d/50-start-record.conf',
      'service logstash-x.service',
    ]);
  });

  it('binds its own address and is told where its things are', () => {
    expect(steps(find(instance(here(), { ...spec, settings: { 'pipeline.workers': 1 } }), 'file /etc/logstash-x/logstash.yml'))).to.contain(`node.name: "mon"
path.data: "/var/lib/logstash-x"
path.logs: "/var/log/logstash-x"
path.config: "/etc/logstash-x/pipeline.conf"
http.host: "10.0.0.31"
http.port: 9600
log.level: "info"
pipeline.workers: 1
`);
  });

  it('has only Java options that 7.10 reads and that Java 11 to 17 know', () => {
    const text = steps(find(instance(here(), { ...spec, java: ['-Da=b'] }), 'file /etc/logstash-x/jvm.options'));
    const options = text.slice(text.indexOf('-Xms256m')).trim().split('\n');
    expect(options).to.include.members(['-Xms256m', '-Xmx256m', '-Dlog4j2.formatMsgNoLookups=true', '-Da=b']);
    for (const option of options) expect(option).to.match(/^(-|#)/);
    const java = spawnSync('java', [...options.filter((option) => !option.startsWith('#') && !option.startsWith('-Xlog')), '-version'], { encoding: 'utf8' });
    expect(java.status, java.stderr).to.equal(0);
  });

  it('keeps JMX to its own process, behind a login', () => {
    const resources = instance(here(), { ...spec, jmx });
    const unit = steps(find(resources, 'unit logstash-x.service'));
    expect(unit).to.contain('Environment="LS_JAVA_OPTS=-Dcom.sun.management.jmxremote.host=10.0.0.31 -Dcom.sun.management.jmxremote.port=9998 ');
    for (const option of ['rmi.port=9998', 'authenticate=true', 'password.toHashes=false', 'password.file=/etc/logstash-x/jmxremote.password'])
      expect(unit).to.contain(`-Dcom.sun.management.jmxremote.${option}`);
    expect(unit).to.contain('-Djava.rmi.server.hostname=10.0.0.31');
    expect(unit).to.contain('ExecStart=/opt/logstash/current/bin/logstash --path.settings /etc/logstash-x\n');
    const password = steps(find(resources, 'file /etc/logstash-x/jmxremote.password'));
    expect(password).to.contain(`'0400' 'logstash' 'logstash'`);
    expect(password).not.to.contain('pw-of-jmx');
  });

  const java: readonly (readonly [string, string, string])[] = [
    ['the Java of the archive', '{}', 'UnsetEnvironment=JAVA_HOME '],
    ['a Java of its own', '{logstash_java: /opt/jdk-17}', 'Environment=JAVA_HOME=/opt/jdk-17\n'],
  ];
  for (const [what, vars, line] of java) {
    it(`runs with ${what}`, () => {
      expect(steps(find(instance(here(vars), spec), 'unit logstash-x.service'))).to.contain(line);
    });
  }

  it('tests a pipeline beside the running one before it takes its place', () => {
    const script = steps(find(instance(here(), spec), 'file /etc/logstash-x/pipeline.conf'));
    expect(script).to.contain(`put '/etc/logstash-x/.pipeline.candidate' 0 '0640' 'root' 'logstash'`);
    expect(script.indexOf('-f "$candidate" -t')).to.be.greaterThan(0);
    expect(script.indexOf('mv -fT -- "$candidate" "$pipeline"')).to.be.greaterThan(script.indexOf('-f "$candidate" -t'));
    expect(script).not.to.contain(`put '/etc/logstash-x/pipeline.conf'`);
  });

  it('only looks at the mode where the content is right', () => {
    const resource = find(instance(here(), spec), 'file /etc/logstash-x/pipeline.conf');
    const said: string[] = [];
    const recorder = { sh: (strings: TemplateStringsArray) => said.push(strings.join('')) };
    resource.apply([{ field: 'mode', from: { kind: 'absent' }, to: { kind: 'absent' } }], recorder as never);
    expect(said.map((each) => each.trim())).to.deep.equal(['chmod --']);
  });

  it('its unit is one that systemd takes', () => {
    const unit = steps(find(instance(here(), { ...spec, jmx }), 'unit logstash-x.service'));
    const text = unit.slice(unit.indexOf('[Unit]'));
    const ran = spawnSync('sh', ['-c', 'd=$(mktemp -d); cat >"$d/logstash-x.service"; systemd-analyze verify "$d/logstash-x.service" 2>&1; rm -rf "$d"'], {
      input: text,
      encoding: 'utf8',
    });
    expect(ran.stdout).to.not.match(/systemd-analyze: (command )?not found/);
    const complaints = ran.stdout.split('\n').filter((line) => line.includes('logstash-x.service') && !/is not executable|not found|No such file/.test(line));
    expect(complaints).to.deep.equal([]);
  });
});
