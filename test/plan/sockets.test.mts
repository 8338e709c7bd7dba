import { expect } from 'chai';
import { jvmAttachPort, listening, type Judgement, type ListeningSocket } from '../../lib/index.mts';

const passes = (judgement: Judgement, found?: RegExp): void => {
  expect(judgement.kind, JSON.stringify(judgement)).to.equal('pass');
  if (found !== undefined) expect(judgement.found).to.match(found);
};
const fails = (judgement: Judgement, found: RegExp): void => {
  expect(judgement.kind, JSON.stringify(judgement)).to.equal('fail');
  expect(JSON.stringify(judgement)).to.match(found);
};
const listens = (sockets: readonly ListeningSocket[], declared: Parameters<typeof listening>[1], pid: number | undefined): Judgement =>
  listening(sockets, declared, pid, { hint: 'look' });

describe('listeners', () => {
  const declared = [
    { name: 'http', address: '10.0.0.1', port: 9200 },
    { name: 'transport', address: '10.0.0.1', port: 9300 },
  ];
  const socket = (address: string, port: number, pid?: number, process = 'java'): ListeningSocket => ({
    address,
    port,
    ...(pid === undefined ? {} : { pid, process }),
  });
  const own = [socket('::ffff:10.0.0.1', 9200, 5), socket('10.0.0.1', 9300, 5)];
  it('are those declared and no others of the process', () => {
    passes(listens([...own, socket('127.0.0.1', 25, 9, 'master')], declared, 5));
    fails(listens([...own, socket('127.0.0.1', 9999, 5)], declared, 5), /also listens on 127\.0\.0\.1:9999/);
  });
  it('are missed when nobody is there', () => {
    fails(listens(own.slice(0, 1), declared, 5), /nobody listens on 10\.0\.0\.1:9300 \(transport\)/);
    fails(listens([socket('10.0.0.2', 9200, 5), ...own.slice(1)], declared, 5), /nobody listens on 10\.0\.0\.1:9200/);
  });
  it('name a stranger', () => {
    fails(listens([socket('0.0.0.0', 9200, 8, 'nginx'), own[1]!], declared, 5), /10\.0\.0\.1:9200 belongs to nginx \(pid 8\)/);
    fails(listens([socket('10.0.0.1', 9200), own[1]!], declared, 5), /another user or machine/);
  });
  it('do not include a wildcard of its own', () => {
    fails(listens([socket('*', 9200, 5), own[1]!], declared, 5), /http listens on \*:9200/);
  });
  it('may include what is known by name, and says so', () => {
    const attach = socket('*', 41234, 5);
    passes(listening([...own, attach], declared, 5, { hint: '', known: jvmAttachPort }), /41234 \(the attach port of Java/);
    fails(listening([...own, socket('10.0.0.1', 41234, 5)], declared, 5, { hint: '', known: jvmAttachPort }), /also listens on 10\.0\.0\.1:41234/);
    fails(listening([...own, socket('*', 8080, 5)], declared, 5, { hint: '', known: jvmAttachPort }), /also listens on \*:8080/);
  });
  it('are looked at without a process too', () => {
    passes(listens([socket('10.0.0.1', 9200), socket('10.0.0.1', 9300)], declared, undefined));
  });
});
