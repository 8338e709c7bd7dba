import { expect } from 'chai';
import { z } from 'zod';
import { httpRaw } from '../../lib/plan/http.mts';
import type { Answer, Ask, Question, Raw } from '../../lib/plan/model.mts';
import {
  all,
  allOf,
  attempt,
  constant,
  controllerOutput,
  fresh,
  groupEntry,
  http,
  httpJson,
  known,
  listeningSockets,
  packageVersion,
  passwd,
  refine,
  sha256,
  shellOutput,
  stat,
  sysctlValue,
  text,
  unavailable,
  unitState,
} from '../../lib/plan/questions.mts';

const value = (from: string | Uint8Array): Raw => ({ kind: 'value', bytes: typeof from === 'string' ? Buffer.from(from) : from });
const absent: Raw = { kind: 'absent' };
const lost: Raw = { kind: 'unavailable', reason: 'lost' };
const read = <T,>(question: Question<T>, raw: Raw): Answer<T> => question.read(() => raw);

describe('questions', () => {
  it('an answer that did not come is never a value', () => {
    const questions: readonly Question<unknown>[] = [
      stat('/x'),
      sha256('/x'),
      text('/x'),
      sysctlValue('a.b'),
      unitState('a.service'),
      passwd('a'),
      groupEntry('a'),
      packageVersion('a'),
      listeningSockets(),
      http({ url: 'http://a/' }),
      shellOutput('x'),
      controllerOutput(['x']),
    ];
    for (const question of questions) expect(read(question, lost)).to.deep.equal({ kind: 'unavailable', reason: 'lost' });
  });

  it('absence is a value where it means something', () => {
    expect(read(stat('/x'), absent)).to.deep.equal(known({ kind: 'absent' }));
    for (const question of [sha256('/x'), text('/x'), sysctlValue('a.b'), passwd('a'), groupEntry('a'), packageVersion('a')] as readonly Question<unknown>[])
      expect(read(question, absent)).to.deep.equal(known(undefined));
    for (const question of [unitState('a.service'), listeningSockets(), shellOutput('x'), http({ url: 'http://a/' })] as readonly Question<unknown>[])
      expect(read(question, absent).kind).to.equal('unavailable');
  });

  const rows: readonly (readonly [string, Question<unknown>, string, unknown])[] = [
    [
      'stat of a file',
      stat('/x'),
      '8180:12:0:1000:root:UNKNOWN:"/x"',
      { kind: 'there', type: 'file', mode: 0o600, owner: 'root', group: '1000', uid: 0, gid: 1000, size: 12 },
    ],
    [
      'stat of a sticky directory',
      stat('/x'),
      '43ff:4096:0:0:root:root:"/x"',
      { kind: 'there', type: 'directory', mode: 0o1777, owner: 'root', group: 'root', uid: 0, gid: 0, size: 4096 },
    ],
    [
      'stat of a link',
      stat('/x'),
      'a1ff:1:0:0:root:root:"/x" -> "a\\nb\\"\\303\\251"',
      { kind: 'there', type: 'link', mode: 0o777, owner: 'root', group: 'root', uid: 0, gid: 0, size: 1, target: 'a\nb"é' },
    ],
    [
      'stat of a link, busybox',
      stat('/x'),
      "a1ff:1:0:0:root:root:'/x' -> '7.10'",
      { kind: 'there', type: 'link', mode: 0o777, owner: 'root', group: 'root', uid: 0, gid: 0, size: 1, target: '7.10' },
    ],
    [
      'stat with a group of a domain',
      stat('/x'),
      '81a4:1:1:2:DOM\\jo:DOM\\domain users:"/x"',
      { kind: 'there', type: 'file', mode: 0o644, owner: 'DOM\\jo', group: 'DOM\\domain users', uid: 1, gid: 2, size: 1 },
    ],
    [
      'stat of a device',
      stat('/x'),
      '21b6:0:0:0:root:root:"/x"',
      { kind: 'there', type: 'other', mode: 0o666, owner: 'root', group: 'root', uid: 0, gid: 0, size: 0 },
    ],
    ['a byte order mark is part of a text', text('/x'), '\ufeffa', '\ufeffa'],
    ['a kernel setting', sysctlValue('a.b'), '32768\t60999\n', '32768 60999'],
    [
      'a user',
      passwd('kafka'),
      'kafka:x:999:998:Kafka,,,:/var/lib/kafka:/sbin/nologin',
      { name: 'kafka', uid: 999, gid: 998, home: '/var/lib/kafka', shell: '/sbin/nologin' },
    ],
    ['a group', groupEntry('adm'), 'adm:x:4:syslog,ops', { name: 'adm', gid: 4, members: ['syslog', 'ops'] }],
    ['an empty group', groupEntry('adm'), 'adm:x:4:', { name: 'adm', gid: 4, members: [] }],
    ['a snippet', shellOutput('x'), '3\na\nb', { code: 3, output: 'a\nb' }],
    ['a controller command', controllerOutput(['x']), '{"code":0,"stdout":"a","stderr":""}', { code: 0, stdout: 'a', stderr: '' }],
    [
      'a unit',
      unitState('a.service'),
      'Id=a.service\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID=7\nInvocationID=ff\nNRestarts=2\nNeedDaemonReload=yes\nResult=success\nExecMainStatus=0',
      {
        loadState: 'loaded',
        activeState: 'active',
        subState: 'running',
        unitFileState: 'enabled',
        mainPid: 7,
        invocationId: 'ff',
        nRestarts: 2,
        needDaemonReload: true,
        result: 'success',
        execMainStatus: 0,
      },
    ],
    [
      'listeners',
      listeningSockets(),
      [
        'LISTEN 0      4096       127.0.0.53%lo:53         0.0.0.0:*    users:(("systemd-resolve",pid=612,fd=14))',
        'LISTEN 0      128                 [::]:22            [::]:*    users:(("sshd",pid=9,fd=4),("x",pid=1,fd=2))',
        'LISTEN 0      50                     *:9092             *:*    users:(("Kafka Server",pid=77,fd=1))',
        'LISTEN 0      50    [::ffff:10.0.0.1]:9200             *:*',
        'not a line',
      ].join('\n'),
      [
        { address: '127.0.0.53', port: 53, process: 'systemd-resolve', pid: 612 },
        { address: '::', port: 22, process: 'sshd', pid: 9 },
        { address: '*', port: 9092, process: 'Kafka Server', pid: 77 },
        { address: '::ffff:10.0.0.1', port: 9200 },
      ],
    ],
  ];
  for (const [what, question, bytes, expected] of rows) {
    it(what, () => {
      expect(read(question, value(bytes))).to.deep.equal(known(expected));
    });
  }

  it('bytes that are no text are unavailable', () => {
    expect(read(text('/x'), value(Buffer.from([0xff])))).to.deep.equal(unavailable('not UTF-8 text'));
  });

  it('http and its JSON', () => {
    const answered = (status: number, body: string): Raw => value(httpRaw({ status }, Buffer.from(body)));
    const health = httpJson('http://a/', z.object({ status: z.string() }));
    expect(read(http({ url: 'http://a/' }), answered(200, 'a\n\nb'))).to.deep.equal(known({ kind: 'answered', status: 200, body: 'a\n\nb' }));
    expect(read(http({ url: 'http://a/' }), value(httpRaw({ refused: 'no' })))).to.deep.equal(known({ kind: 'refused', reason: 'no' }));
    expect(read(health, answered(200, '{"status":"green","x":1}'))).to.deep.equal(known({ status: 'green' }));
    expect(read(health, answered(503, 'no master'))).to.deep.equal(unavailable('http://a/ answered 503: no master'));
    expect(read(health, answered(200, '<html>'))).to.deep.equal(unavailable('http://a/: not JSON: <html>'));
    expect(read(health, answered(200, '{}')).kind).to.equal('unavailable');
    expect(read(health, value(httpRaw({ refused: 'no' })))).to.deep.equal(unavailable('http://a/: no'));
  });

  it('what a host could not carry as a line or a name is refused at once', () => {
    const refused: readonly (() => unknown)[] = [
      () => stat('relative'),
      () => text('/a\nb'),
      () => sha256('/a\0'),
      () => unitState('a b.service'),
      () => unitState('x@.service'),
      () => unitState('nothing'),
      () => passwd('0'),
      () => passwd('a:b'),
      () => groupEntry('-x'),
      () => packageVersion('a*'),
      () => sysctlValue('a/../../etc'),
      () => sysctlValue('a..b'),
      () => http({ url: 'file:///etc/passwd' }),
      () => http({ url: 'http://a/\nb' }),
      () => http({ url: 'http://a/', method: 'G"' }),
    ];
    for (const build of refused) expect(build, build.toString()).to.throw(TypeError);
  });

  it('all asks everything and fails with the first reason', () => {
    const both = all({ a: text('/a'), b: text('/b') });
    expect(both.asks.map((ask) => (ask.at === 'host' ? ask.key : ''))).to.deep.equal(['/a', '/b']);
    const of = (a: Raw, b: Raw): Answer<unknown> => both.read((ask) => (ask.at === 'host' && ask.key === '/a' ? a : b));
    expect(of(value('1'), value('2'))).to.deep.equal(known({ a: '1', b: '2' }));
    expect(of(value('1'), lost)).to.deep.equal(unavailable('lost'));
    expect(read(allOf([]), lost)).to.deep.equal(known([]));
    expect(read(allOf([text('/a'), text('/b')]), value('x'))).to.deep.equal(known(['x', 'x']));
    expect(read(attempt(text('/a')), lost)).to.deep.equal(known(unavailable('lost')));
    expect(
      read(
        refine(constant(1), (one) => (one === 1 ? unavailable('one') : known(one))),
        lost,
      ),
    ).to.deep.equal(unavailable('one'));
    expect(
      read(
        constant(1)
          .map((one) => one + 1)
          .map(String),
        lost,
      ),
    ).to.deep.equal(known('2'));
  });

  it('fresh marks every ask and reads as before', () => {
    const question = fresh(all({ a: text('/a'), b: controllerOutput(['x']) }));
    expect(question.asks).to.deep.equal([
      { at: 'host', kind: 'text', key: '/a', fresh: true },
      { at: 'controller', argv: ['x'] },
    ]);
    const answers = new Map<Ask, Raw>(question.asks.map((ask) => [ask, value(ask.at === 'host' ? 'x' : '{"code":0,"stdout":"","stderr":""}')]));
    expect(question.read((ask) => answers.get(ask) ?? lost)).to.deep.equal(known({ a: 'x', b: { code: 0, stdout: '', stderr: '' } }));
  });
});
