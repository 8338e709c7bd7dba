/** The stand-in for Logstash keeps the product's contract: what real products emitted and logged is in test/cases/logstash-input-jmx. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { artifacts } from '../../../lib/inventory/artifacts.mts';
import { inImage, type Image, type Running } from './in-image.mts';
import { borrow, command, eventually, get, LAB, must, play, ROOT, writeInventory, type Result } from '../support.mts';

const CASES = join(ROOT, 'test/cases/logstash-input-jmx');
const ADDRESS = '127.81.0.21';
const ELASTICSEARCH = '127.81.0.11';
const HOME = '/mnt/logstash-7.10.2';
const SMALL = { LS_JAVA_OPTS: '-Xms32m -Xmx128m' };

const assembly = artifacts()['logstash']?.['7.10.2']?.assembled;

describe('the stand-in for Logstash', function () {
  this.timeout(60_000);
  let folder = '';
  let image: Image;
  let started: Running[] = [];
  let inventory = '';

  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return `/mnt/${name}`;
  };
  const logstash = (...words: string[]): Promise<Result> => image.run([`${HOME}/bin/logstash`, ...words], SMALL);
  const plugin = (...words: string[]): Promise<Result> => image.run([`${HOME}/bin/logstash-plugin`, ...words], SMALL);
  const begin = (words: readonly string[], env: Readonly<Record<string, string>> = SMALL): Running => {
    const running = image.start(words, env);
    started.push(running);
    return running;
  };
  const run = (config: string, ...words: string[]): Running =>
    begin([`${HOME}/bin/logstash`, '-f', config, '-w', '1', '--http.host', ADDRESS, '--http.port', '9600', ...words]);
  const test = (config: string): Promise<Result> => logstash('-t', '-f', write('tested.conf', config), '--path.data', '/mnt/test-data');
  const soon = (what: string, test: () => boolean): Promise<void> =>
    eventually(
      what,
      15_000,
      () =>
        new Promise((done) => {
          done(test());
        }),
    );

  before(async function () {
    this.timeout(300_000);
    await borrow(LAB);
    inventory = writeInventory('logstash-stand-in.json', [
      { name: 'client-01', address: '127.81.0.41', groups: ['clients'], vars: { logstash_source: 'assembled' } },
    ]);
    await must(play('lab', ['up', '-i', inventory]));
    folder = mkdtempSync('/var/tmp/logstash-stand-in-');
    await must(command('tar', ['-xzf', join(LAB, 'artifacts', assembly?.file ?? ''), '-C', folder]));
    const newest =
      readdirSync(join(LAB, 'images'))
        .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
        .at(-1) ?? '';
    image = inImage(LAB, newest, folder);
  });
  afterEach(async () => {
    for (const running of started) await running.stop('SIGKILL');
    started = [];
  });
  after(async function () {
    this.timeout(120_000);
    await play('lab', ['down']);
    rmSync(folder, { recursive: true, force: true });
  });

  describe('the archive', () => {
    it('is laid out like the product, with the class to strip in both places and no compiler', async () => {
      for (const path of [
        'bin/logstash',
        'bin/logstash-plugin',
        'config/logstash.yml',
        'config/jvm.options',
        'config/log4j2.properties',
        'config/pipelines.yml',
        'Gemfile',
      ])
        expect(readFileSync(join(folder, 'logstash-7.10.2', path), 'utf8'), path).not.to.equal('');
      const jars = readdirSync(join(folder, 'logstash-7.10.2/logstash-core/lib/jars'));
      expect(jars).to.include.members(['logstash-stand-in.jar', 'log4j-core-2.13.3.jar', 'kafka-clients-3.9.1.jar']);
      expect(jars.join()).not.to.match(/ecj/);
      expect(readdirSync(folder)).to.deep.equal(['logstash-7.10.2']);
      const found = await must(command('grep', ['-rl', 'lookup/JndiLookup.class', join(folder, 'logstash-7.10.2')]));
      expect(
        found
          .trim()
          .split('\n')
          .map((path) => path.split('/').at(-1)),
      ).to.have.members(['log4j-core-2.13.3.jar', 'logstash-input-tcp-6.0.10.jar']);
      expect(assembly?.stand_in).to.match(/program of this project/);
    });
  });

  describe('the launcher', () => {
    it('prints the version of the product', async () => {
      expect((await logstash('--version')).stdout).to.equal('logstash 7.10.2\n');
    });
    it('says which java it uses and what it ignores, and names itself in its first log line', async () => {
      const home = '/usr/lib/jvm/java-17-openjdk-amd64';
      const { stdout } = await image.run([`${HOME}/bin/logstash`, '-t', '-e', 'input { generator { } }', '--path.data', '/mnt/d'], {
        ...SMALL,
        JAVA_HOME: home,
        JAVA_OPTS: '-Dx=y',
      });
      const [java, options, logs, first] = stdout.split('\n');
      expect(java).to.equal(`Using JAVA_HOME defined java: ${home}`);
      expect(options).to.equal('warning: ignoring JAVA_OPTS=-Dx=y; pass JVM parameters via LS_JAVA_OPTS');
      expect(logs).to.equal(`Sending Logstash logs to ${HOME}/logs which is now configured via log4j2.properties`);
      expect(first).to.match(/^\[[-\dT:]+,\d{3}\]\[INFO \]\[logstash\.runner {10}\] Starting Logstash \{"logstash\.version"=>"7\.10\.2".*stand-in/);
    });
    it('refuses an option and a setting that the product has not', async () => {
      const option = await logstash('--no-such');
      expect([option.code, option.stderr]).to.deep.equal([1, "ERROR: Unrecognised option '--no-such'\n\nSee: 'bin/logstash --help'\n"]);
      mkdirSync(join(folder, 'settings'));
      copyFileSync(join(folder, 'logstash-7.10.2/config/log4j2.properties'), join(folder, 'settings/log4j2.properties'));
      write('settings/logstash.yml', 'http: { host: 127.0.0.1 }\nno.such: 1\n');
      const setting = await logstash('--path.settings', '/mnt/settings', '-e', '');
      expect(setting.code).to.equal(1);
      expect(setting.stdout).to.contain('An unexpected error occurred! {:error=>#<ArgumentError: Setting "no.such" hasn\'t been registered>');
    });
    it('logs errors only where the settings folder has no log4j2.properties', async () => {
      mkdirSync(join(folder, 'bare'));
      const { stdout } = await logstash('--path.settings', '/mnt/bare', '--path.data', '/mnt/d', '-t', '-e', 'input { generator { } }');
      expect(stdout).to.equal(
        'Could not find log4j2 configuration at path /mnt/bare/log4j2.properties. Using default config which logs errors to the console\nConfiguration OK\n',
      );
    });
  });

  describe('a configuration', () => {
    const minimal = 'output { stdout { } }';
    it('that is right is OK', async () => {
      const { code, stdout } = await test(
        `input { generator { } } # comment\nfilter { if [a] == 1 or "x" in [tags] { drop { } } else if [b] !~ /y/ { } }\n${minimal}`,
      );
      expect([code, /^Configuration OK$/m.test(stdout)]).to.deep.equal([0, true]);
    });
    const broken: readonly (readonly [string, string, RegExp])[] = [
      [
        'a missing brace',
        `input { generator { }\n`,
        /Reason: Expected one of \[ \\t\\r\\n\], "#", "if", \[A-Za-z0-9_-\], .*"\}" at line 2, column 1 \(byte 23\) after input \{ generator \{ \}\n/,
      ],
      [
        'a missing value',
        `input { generator { count => } } ${minimal}`,
        /Reason: Expected one of .* at line 1, column 30 \(byte 30\) after input \{ generator \{ count => /,
      ],
      ['something that is no section', 'inputs { }', /Reason: Expected one of [^\n]*"#", "\{" at line 1, column 6 \(byte 6\)/],
      [
        'an unknown plugin',
        `input { nosuch { } } ${minimal}`,
        /\(PluginLoadingError\) Couldn't find any input plugin named 'nosuch'\. Are you sure this is correct\? Trying to load the nosuch input plugin resulted in this error: /,
      ],
      [
        'an unknown option',
        `input { generator { nosuch => 1 } } ${minimal}`,
        /\[ERROR\]\[logstash\.inputs\.generator\] Unknown setting 'nosuch' for generator[^]*Something is wrong with your configuration\./,
      ],
      [
        'an option of the wrong type',
        `input { generator { count => "x" } } ${minimal}`,
        /Invalid setting for generator input plugin:[^]*# This setting must be a number\n {6}# Expected number, got "x" \(type x\)\n {6}count => "x"/,
      ],
      ['a missing option', `input { file { } } ${minimal}`, /Missing a required setting for the file input plugin:[^]*path => # SETTING MISSING/],
      [
        'an undefined variable',
        `input { file { path => "\${NO_SUCH}/x" } } ${minimal}`,
        /Cannot evaluate `\$\{NO_SUCH\}`\. Replacement variable `NO_SUCH` is not defined in a Logstash secret store or as an Environment entry and there is no default value given\./,
      ],
    ];
    for (const [what, config, message] of broken)
      it(`with ${what} is refused as the product does it`, async () => {
        const { code, stdout } = await test(config);
        expect(code).to.equal(1);
        expect(stdout)
          .to.match(message)
          .and.match(/\[FATAL\]\[logstash\.runner {10}\] The given configuration is invalid\. Reason: /);
      });
    it('takes defaults of variables', async () => {
      expect((await test(`input { file { path => "\${NO_SUCH:/var}/x" } } ${minimal}`)).code).to.equal(0);
    });
  });

  describe('filters', () => {
    const cases: readonly (readonly [string, object, string, object])[] = [
      ['dissect at the first dot', { m: 'a.b.c' }, 'dissect { mapping => { "m" => "%{x}.%{y}" } }', { x: 'a', y: 'b.c' }],
      ['dissect that does not match', { m: 'abc' }, 'dissect { mapping => { "m" => "%{x}.%{y}" } }', { m: 'abc', tags: ['_dissectfailure'] }],
      [
        'translate with a fallback',
        { b: 'q' },
        'translate { field => "b" destination => "c" dictionary => { "z" => "1" } fallback => "no %{b}" }',
        { c: 'no q' },
      ],
      [
        'mutate in its own order',
        { a: '1,5' },
        'mutate { convert => { "a" => "float_eu" } rename => { "a" => "[n][x]" } copy => { "n" => "m" } }',
        { n: { x: '1,5' }, m: { x: '1,5' } },
      ],
      ['gsub, lowercase and split', { a: 'X-Y Z' }, 'mutate { gsub => ["a", "-", "."] lowercase => ["a"] split => { "a" => " " } }', { a: ['x.y', 'z'] }],
      [
        'add_field and the date',
        { a: 1 },
        'mutate { add_field => { "t" => "%{a}/%{nope}/%{+YYYY}" } }',
        { t: `1/%{nope}/${new Date().getUTCFullYear().toString()}` },
      ],
      [
        'csv',
        { message: '1,"a ""b"", c",' },
        'csv { columns => ["n","t","e"] skip_empty_columns => true convert => { "n" => "integer" } }',
        { n: 1, t: 'a "b", c' },
      ],
      ['prune', { keep: 1, other: 2 }, 'prune { whitelist_names => ["^keep$"] }', { keep: 1, other: undefined }],
      ['and binds tighter than or', { a: 1 }, 'if [a] == 1 or [a] == 2 and [b] { mutate { add_tag => "yes" } }', { tags: ['yes'] }],
      [
        'in, not in and regular expressions',
        { a: 'foo', l: ['x'] },
        'if "x" in [l] and [a] not in ["y","z"] and [a] =~ "^f" and !([b]) { mutate { add_tag => "yes" } }',
        { tags: ['yes'] },
      ],
      ['a nested field', { a: { b: [5, 6] } }, 'if [a][b][1] >= 6 { mutate { replace => { "[a][c]" => "%{[a][b]}" } } }', { a: { b: [5, 6], c: '5,6' } }],
    ];
    // One process for all: each event takes the branch of its own case, and one worker keeps their order.
    let found: readonly Readonly<Record<string, unknown>>[] = [];
    before(async () => {
      const lines = cases.map(([, event], index) => `'${JSON.stringify({ case: index, ...event })}'`);
      const branches = cases.map(([, , filters], index) => `if [case] == ${index.toString()} { ${filters} }`);
      const config = write(
        'filters.conf',
        `input { generator { lines => [${lines.join()}] count => 1 codec => json } } filter { ${branches.join(' else ')} } output { stdout { codec => json } }`,
      );
      const { stdout } = await logstash('-f', config, '-w', '1', '--path.data', '/mnt/data', '--log.level', 'error');
      const events = stdout.split('\n').filter((line) => line.startsWith('{'));
      found = events.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    });
    for (const [index, [what, , , expected]] of cases.entries())
      it(what, () => {
        for (const [field, value] of Object.entries(expected)) expect(found[index]?.[field], JSON.stringify(found[index])).to.deep.equal(value);
      });
  });

  describe('plugins', () => {
    const jmx = 'input { jmx { path => "/mnt/conf" } } output { stdout { } }';
    const installed = (): string[] => readdirSync(join(folder, 'logstash-7.10.2/vendor/bundle/jruby/2.5.0/gems')).filter((name) => /jmx/.test(name));
    const gemfile = (): string => readFileSync(join(folder, 'logstash-7.10.2/Gemfile'), 'utf8');

    it('jmx is no plugin until it is installed, then one in folder and Gemfile, and packs install without a network', async () => {
      expect((await test(jmx)).code).to.equal(1);
      expect((await plugin('list', 'logstash-input-jmx')).code).to.equal(1);
      expect((await plugin('install', '--version', '9.9.9', 'logstash-input-jmx')).code).to.equal(1);
      expect((await plugin('install', '--version', '3.0.7', 'logstash-input-jmx')).stdout).to.equal(
        'Validating logstash-input-jmx\nInstalling logstash-input-jmx\nInstallation successful\n',
      );
      expect(installed()).to.have.members(['logstash-input-jmx-3.0.7', 'jmx4r-0.1.5']);
      expect(gemfile()).to.match(/^gem "logstash-input-jmx"$/m);
      expect((await plugin('list', '--verbose', 'logstash-input-jmx')).stdout).to.equal('logstash-input-jmx (3.0.7)\n');
      expect((await test(jmx)).code).to.equal(0);

      expect((await plugin('prepare-offline-pack', '--output', '/mnt/pack.zip', '--overwrite', 'logstash-input-jmx')).code).to.equal(0);
      expect((await plugin('remove', 'logstash-input-jmx')).stdout).to.equal('Successfully removed logstash-input-jmx\n');
      expect(gemfile()).not.to.match(/jmx/);
      expect((await test(jmx)).code).to.equal(1);
      expect((await plugin('install', 'file:///mnt/pack.zip')).stdout).to.equal('Installing file: /mnt/pack.zip\nInstall successful\n');
      expect((await test(jmx)).code).to.equal(0);
    });
    it('that do not exist are refused', async () => {
      const { code, stdout, stderr } = await plugin('install', 'logstash-input-nosuch');
      expect([code, stdout, stderr]).to.deep.equal([
        1,
        'Validating logstash-input-nosuch\nPlugin logstash-input-nosuch does not exist\n',
        'ERROR: Installation aborted, verification failed for logstash-input-nosuch\n',
      ]);
    });
  });

  describe('the jmx input', () => {
    const JVM = [
      ...['host', 'port=9999', 'rmi.port=9999', 'authenticate=false', 'ssl=false'].map(
        (each) => `-Dcom.sun.management.jmxremote.${each === 'host' ? `host=${ADDRESS}` : each}`,
      ),
      `-Djava.rmi.server.hostname=${ADDRESS}`,
    ];
    const BEANS = [
      'kafka.server:type=BrokerTopicMetrics,name=MessagesInPerSec OneMinuteRate double 0.5',
      'kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions Value int 0',
      'kafka.network:type=RequestMetrics,name=TotalTimeMs,request=Produce Mean double 0.0',
      'kafka.network:type=RequestMetrics,name=TotalTimeMs,request=FetchConsumer Mean double 0.0',
      'kafka.producer:type=producer-metrics,client-id=p outgoing-byte-rate double NaN',
      'kafka.producer:type=producer-metrics,client-id=p idle boolean true',
    ];
    const config = 'input { jmx { path => "conf" polling_frequency => 1 } } output { file { path => "/mnt/events.jsonl" } }';
    type Event = Readonly<Record<string, unknown>>;
    const events = (): Event[] =>
      readFileSync(join(folder, 'events.jsonl'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Event);
    /** All of an event but its time and its value, of which only the kind counts; key properties in order, which is the asked JVM's own. */
    const shape = (event: Event): unknown => [
      Object.keys(event).filter((name) => !name.startsWith('@')),
      event['path'],
      event['type'],
      String(event['metric_path']).replace(/java\.lang:([^.]*)/, (_, keys: string) => keys.split(',').sort().join()),
      typeof event['metric_value_number'],
      typeof event['metric_value_string'],
    ];
    const conf = (name: string, from = name): void => {
      writeFileSync(join(folder, 'conf', name), readFileSync(join(CASES, from), 'utf8').replaceAll('127.77.0.', '127.81.0.'));
    };
    const queries = (name: string, ...all: object[]): void => {
      const beside = join(folder, `${name}.new`);
      writeFileSync(beside, JSON.stringify({ host: ADDRESS, port: 9999, alias: name, queries: all }));
      renameSync(beside, join(folder, 'conf', name));
    };

    before(async () => {
      await plugin('install', 'logstash-input-jmx');
      const compiler = assembly?.parts.find(({ url }) => url.includes('/ecj'))?.sha256 ?? '';
      copyFileSync(join(LAB, 'artifacts/parts', compiler), join(folder, 'ecj.jar'));
      copyFileSync(join(import.meta.dirname, 'beans/Beans.java'), join(folder, 'Beans.java'));
      await must(image.run(['java', '-jar', 'ecj.jar', '-17', '-d', '.', 'Beans.java']));
    });
    beforeEach(async () => {
      rmSync(join(folder, 'conf'), { recursive: true, force: true });
      rmSync(join(folder, 'events.jsonl'), { force: true });
      mkdirSync(join(folder, 'conf'));
      write('jmx.conf', config);
      const beans = begin(['java', '-Xmx64m', '-XX:+UseG1GC', ...JVM, 'Beans'], {});
      beans.process.stdin?.end(BEANS.join('\n'));
      await beans.says(/^ready$/m);
    });

    it('emits the events of the real plugin, in their order, and logs what it logs', async () => {
      for (const name of ['broker01.conf', 'bad.conf', 'worse.conf', 'refused.conf']) conf(name);
      const running = run('jmx.conf', '--path.data', '/mnt/jmx-data');
      await running.says(/No jmx object found/);
      const wanted = readFileSync(join(CASES, 'events.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Event);
      await soon('one poll', () => events().length >= wanted.length);
      expect(events().slice(0, wanted.length).map(shape)).to.deep.equal(wanted.map(shape));

      const lines = readFileSync(join(CASES, 'log.txt'), 'utf8').trim().split('\n');
      for (const line of lines) {
        const [level = '', ...words] = line.replaceAll('127.77.0.', '127.81.0.').split(' ');
        // The reference ends its lines before the backtrace.
        const said = words.join(' ').replace(/\}$/, '');
        expect(
          running.output.split('\n').some((logged) => logged.includes(`[${level.padEnd(5)}][logstash.inputs.jmx      ]`) && logged.includes(said.trimEnd())),
          line,
        ).to.equal(true);
      }
      expect(await running.stop()).to.equal(0);
    });

    it('takes a file that comes, and forgets one that goes, without a restart', async () => {
      const running = run('jmx.conf', '--path.data', '/mnt/jmx-data');
      await running.says(/Loading configuration files/);
      queries('late', {
        object_name: 'kafka.producer:type=producer-metrics,client-id=*',
        attributes: ['outgoing-byte-rate', 'idle'],
        object_alias: '${client-id}',
      });
      await soon('its events', () => events().length >= 2);
      // NaN is no JSON number: it goes out as text, which Elasticsearch refuses for a number.
      expect(
        events()
          .slice(0, 2)
          .map((event) => [event['metric_path'], event['metric_value_number']]),
      ).to.deep.equal([
        ['late.p.outgoing-byte-rate', 'NaN'],
        ['late.p.idle_bool', 1],
      ]);
      unlinkSync(join(folder, 'conf/late'));
      await new Promise((tick) => setTimeout(tick, 2500));
      const before = events().length;
      await new Promise((tick) => setTimeout(tick, 1500));
      expect(events().length).to.equal(before);
    });

    it('says what went wrong with an alias, an attribute and a connection, and goes on with the others', async () => {
      queries('alias', { object_name: 'java.lang:type=Memory', attributes: ['Verbose'], object_alias: '${nosuch}' });
      queries('attribute', { object_name: 'java.lang:type=Memory', attributes: ['NoSuch', 'Verbose'] });
      const stub = readFileSync(join(CASES, 'refused.conf'), 'utf8').replace('127.77.0.99', ELASTICSEARCH);
      writeFileSync(join(folder, 'conf/silent'), stub);
      const running = run('jmx.conf', '--path.data', '/mnt/jmx-data');
      await running.says(/\[ERROR\].*undefined method `split' for nil:NilClass/);
      await running.says(
        /\[WARN \].*Failed retrieving metrics for attribute NoSuch on object java\.lang:type=Memory\n.*undefined method `no_such' for #<JMX::MBean/,
      );
      await running.says(/\[ERROR\].*Connection refused to host: 127\.81\.0\.11/);
      await soon('the good one', () => events().some((event) => event['metric_path'] === 'attribute.java.lang:type=Memory.Verbose_bool'));
    });

    it('ends with exit 0 where its folder is not there', async () => {
      rmSync(join(folder, 'conf'), { recursive: true });
      const running = run('jmx.conf', '--path.data', '/mnt/jmx-data');
      await running.says(/\[ERROR\]\[logstash\.inputs\.jmx.*No such file or directory - conf[^]*Pipeline terminated[^]*Logstash shut down\./);
      await soon('its end', () => running.ended);
      expect(running.process.exitCode).to.equal(0);
    });
  });

  describe('the process', () => {
    const idle = 'input { generator { count => 1 } stdin { } } output { stdout { codec => dots } }';

    it('answers its API within two seconds, in the shapes of the product', async () => {
      const began = performance.now();
      run(write('idle.conf', idle), '--path.data', '/mnt/data');
      await eventually('the API', 10_000, async () => typeof (await get(`http://${ADDRESS}:9600/`)) === 'object');
      expect(performance.now() - began).to.be.lessThan(4000);
      expect(await get(`http://${ADDRESS}:9600/`)).to.include({ version: '7.10.2', http_address: `${ADDRESS}:9600`, status: 'green' });
      await eventually('an event', 5000, async () => (await pipeline()).events['out'] === 1);
      const { events, plugins } = await pipeline();
      expect(events).to.include({ in: 1, filtered: 1, out: 1 });
      expect(plugins.inputs.map(({ name }) => name)).to.deep.equal(['generator', 'stdin']);
      expect(plugins.outputs[0]).to.have.keys('id', 'name', 'events');
      expect(await get(`http://${ADDRESS}:9600/no/such`)).to.equal(404);
    });
    interface PipelineStats {
      readonly events: Readonly<Record<string, number>>;
      readonly reloads: { readonly successes: number; readonly failures: number };
      readonly plugins: Readonly<Record<'inputs' | 'outputs', readonly { readonly name: string }[]>>;
    }
    const pipeline = async (): Promise<PipelineStats> => {
      const stats = (await get(`http://${ADDRESS}:9600/_node/stats/pipelines`)) as { pipelines: { main: PipelineStats } };
      return stats.pipelines.main;
    };

    it('refuses a data folder that another one has; -t beside it works', async () => {
      const running = run(write('idle.conf', idle), '--path.data', '/mnt/data');
      await running.says(/Pipelines running \{:count=>1, :running_pipelines=>\[:main\], :non_running_pipelines=>\[\]\}/);
      const second = await logstash('-f', '/mnt/idle.conf', '--path.data', '/mnt/data');
      expect(second.code).to.equal(1);
      expect(second.stdout).to.contain(
        'Logstash could not be started because there is already another instance using the configured data directory.  If you wish to run multiple instances, you must change the "path.data" setting.',
      );
      expect((await logstash('-t', '-f', '/mnt/idle.conf', '--path.data', '/mnt/data')).code).to.equal(0);
      expect(await running.stop()).to.equal(0);
      expect(running.output).to.match(/SIGTERM received\. Shutting down\.[^]*Pipeline terminated \{"pipeline\.id"=>"main"\}[^]*Logstash shut down\./);
    });

    it('says which port is taken', async () => {
      await run(write('idle.conf', idle), '--path.data', '/mnt/data').says(/Successfully started Logstash API endpoint \{:port=>9600\}/);
      const { code, stdout } = await logstash('-f', '/mnt/idle.conf', '--path.data', '/mnt/other', '--http.host', ADDRESS, '--http.port', '9600');
      expect([code, /all the ports are already in use/.test(stdout)]).to.deep.equal([1, true]);
    });

    it('takes a changed configuration up, and keeps what runs when the change is broken', async () => {
      const path = write('reload.conf', idle);
      const running = run(path, '--path.data', '/mnt/data', '--config.reload.automatic', '--config.reload.interval', '1s');
      await running.says(/Successfully started/);
      write('reload.conf', idle.replace('}', '} #').replace('count', '=> count'));
      await running.says(
        /\[ERROR\]\[logstash\.agent {11}\] Failed to execute action \{:id=>:main, :action_type=>LogStash::ConvergeResult::FailedAction, :message=>"Expected one of/,
      );
      expect((await pipeline()).reloads.failures).to.be.greaterThan(0);
      write('reload.conf', idle.replace('count => 1', 'count => 2').replace('stdin { }', ''));
      running.process.kill('SIGHUP');
      await running.says(/SIGHUP received\./);
      running.process.stdin?.end();
      await running.says(/Reloading pipeline \{"pipeline\.id"=>:main\}/);
      await eventually('the new one', 10_000, async () => (await pipeline()).reloads.successes === 1);
    });

    it('keeps a logger out of the console as log4j2.properties says, and reads lines of a command', async () => {
      mkdirSync(join(folder, 'quiet'));
      const properties = readFileSync(join(folder, 'logstash-7.10.2/config/log4j2.properties'), 'utf8');
      const logger = ['name = logstash.javapipeline', 'level = info', 'additivity = false', 'appenderRef.rolling.ref = plain_rolling'];
      write('quiet/log4j2.properties', properties + logger.map((line) => `logger.chatty.${line}\n`).join(''));
      write('quiet/pipeline.conf', 'input { pipe { command => "printf \'a\\nb\\n\'" } } output { null { } }');
      write(
        'quiet/logstash.yml',
        `path.config: /mnt/quiet/pipeline.conf\npath.logs: /mnt/quiet\npath.data: /mnt/quiet/data\nhttp.host: ${ADDRESS}\nhttp.port: 9600\n`,
      );
      const running = begin([`${HOME}/bin/logstash`, '--path.settings', '/mnt/quiet']);
      await running.says(/Successfully started/);
      await eventually('two events', 5000, async () => (await pipeline()).events['out'] === 2);
      const file = readFileSync(join(folder, 'quiet/logstash-plain.log'), 'utf8');
      expect([/Pipeline started/.test(running.output), /Pipeline started/.test(file), /Successfully started/.test(file)]).to.deep.equal([false, true, true]);
      expect(await running.stop()).to.equal(0);
    });

    it('reads a file from where it stopped', async () => {
      write('lines.txt', 'one\ntwo\n');
      const path = write(
        'file.conf',
        'input { file { path => "/mnt/lines*.txt" start_position => "beginning" } } output { file { path => "/mnt/out.txt" codec => line { format => "%{message}" } } }',
      );
      const out = (): string => readFileSync(join(folder, 'out.txt'), 'utf8');
      const first = run(path, '--path.data', '/mnt/file-data');
      await soon('both lines', () => out() === 'one\ntwo\n');
      await first.stop();
      writeFileSync(join(folder, 'lines.txt'), 'three\nfour', { flag: 'a' });
      run(path, '--path.data', '/mnt/file-data');
      await soon('the third', () => out() === 'one\ntwo\nthree\n');
    });

    it('looks words up in a dictionary that changes', async () => {
      write('words.yml', 'a: first\n');
      const path = write(
        'words.conf',
        'input { generator { message => "a" } } filter { sleep { time => "0.1" } translate { field => "message" destination => "w" dictionary_path => "/mnt/words.yml" refresh_interval => 1 } } output { stdout { codec => line { format => "%{w}" } } }',
      );
      const running = run(path, '-b', '1', '--path.data', '/mnt/data');
      await running.says(/^first$/m);
      write('words.yml', 'a: second\n');
      await running.says(/^second$/m);
    });
  });

  describe('the elasticsearch output', () => {
    let server: Server | undefined;
    let bulks: string[] = [];
    let answers: ((lines: readonly string[]) => { readonly status: number; readonly items: readonly number[] })[] = [];
    const serve = async (): Promise<void> => {
      server = createServer((request, response) => {
        let body = '';
        request.setEncoding('utf8').on('data', (text: string) => (body += text));
        request.on('end', () => {
          if (request.url !== '/_bulk') return response.end(JSON.stringify({ version: { number: '7.10.2' } }));
          bulks.push(body);
          const lines = body.trim().split('\n');
          const { status, items } = answers.shift()?.(lines) ?? { status: 200, items: lines.flatMap((_, i) => (i % 2 === 0 ? [201] : [])) };
          response.statusCode = status;
          const error = { type: 'mapper_parsing_exception', reason: 'failed to parse' };
          return response.end(
            JSON.stringify({
              errors: items.some((each) => each >= 300),
              items: items.map((each) => ({ index: { status: each, ...(each < 300 ? {} : { error }) } })),
            }),
          );
        });
      });
      server.listen(9200, ELASTICSEARCH);
      await once(server, 'listening');
    };
    const config = `input { generator { lines => ["one", "two"] count => 1 } } output { elasticsearch { hosts => ["http://${ELASTICSEARCH}:9200"] index => "x-%{+YYYY.MM.dd}" manage_template => false retry_initial_interval => 1 resurrect_delay => 1 } }`;

    beforeEach(() => {
      bulks = [];
      answers = [];
    });
    afterEach(() => {
      server?.closeAllConnections();
      server?.close();
      server = undefined;
    });

    it('drops what Elasticsearch will never take and sends again what it may', async () => {
      await serve();
      answers = [() => ({ status: 200, items: [400, 429] }), () => ({ status: 503, items: [] }), () => ({ status: 200, items: [201] })];
      const running = run(write('es.conf', config), '--path.data', '/mnt/es-data');
      await running.says(/Logstash shut down/, 20_000);
      const day = new Date().toISOString().slice(0, 10).replaceAll('-', '.');
      expect(bulks.map((bulk) => bulk.trim().split('\n').length)).to.deep.equal([4, 2, 2]);
      expect(JSON.parse(bulks[0]?.split('\n')[0] ?? '')).to.deep.equal({ index: { _index: `x-${day}` } });
      expect(JSON.parse(bulks[2]?.split('\n')[1] ?? '')).to.include({ message: 'two', '@version': '1' });
      expect(running.output).to.match(
        /\[WARN \]\[logstash\.outputs\.elasticsearch\]\[main\] Could not index event to Elasticsearch\. \{:status=>400, :action=>\["index", \{:_id=>nil, :_index=>"x-/,
      );
      expect(running.output).to.match(/retrying failed action with response code: 429/);
      expect(running.output).to.match(/Encountered a retryable error\. Will Retry with exponential backoff {2}\{:code=>503/);
      for (const line of [
        'Elasticsearch pool URLs updated',
        'Restored connection to ES instance',
        'ES Output version determined {:es_version=>7}',
        'New Elasticsearch output',
      ])
        expect(running.output).to.contain(line);
    });

    it('waits for an Elasticsearch that is not there', async () => {
      const running = run(write('es.conf', config), '--path.data', '/mnt/es-data');
      await running.says(
        /\[WARN \].*Attempted to resurrect connection to dead ES instance, but got an error\. \{:url=>"http:\/\/127\.81\.0\.11:9200\/", :error_type=>LogStash::Outputs::ElasticSearch/,
      );
      expect(running.output).to.match(/Pipeline started/);
      await serve();
      await running.says(/Logstash shut down/, 20_000);
      expect(bulks).to.have.lengthOf(1);
    });
  });
});
