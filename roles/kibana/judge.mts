/** Judgements about a running Kibana: pure, so that each is tested without one. */
import { pass, plainAddress, wrong, type Judgement, type Listener, type ListeningSocket, type UnitState } from '../../lib/index.mts';
import { UNIT } from './paths.mts';
import type { Said } from './status.mts';

export type Unit = Pick<UnitState, 'activeState' | 'subState' | 'result' | 'execMainStatus'>;

/** A service that failed, or that is started again and again, is not waited for. */
export function started(said: Said, unit: Unit, version: string): Judgement {
  if (unit.activeState !== 'failed' && !unit.subState.startsWith('auto-restart')) return status(said, version);
  const found = `${UNIT} ended: ${unit.result}, exit status ${String(unit.execMainStatus)}`;
  return { kind: 'fail', expected: 'Kibana runs', found, hint: 'journalctl -u kibana shows its last words', final: true };
}

export function status(said: Said, version: string): Judgement {
  const expected = `${version}, green`;
  if (said.kind === 'silent') return wrong(expected, said.why, 'is it running? systemctl status kibana; journalctl -u kibana');
  const { version: have, status: now } = said.status;
  const bad = now.statuses
    .filter(({ state }) => state !== 'green')
    .map(({ id, state, message }) => `${id} is ${state}${message === undefined ? '' : ` (${message})`}`);
  const found = [`${have.number}, ${now.overall.state}`, ...bad.slice(0, 3)].join('; ');
  if (have.number !== version)
    return wrong(expected, found, 'another Kibana answers on this address, or it has not been restarted since its version was changed');
  return now.overall.state === 'green'
    ? pass(found)
    : wrong(expected, found, 'journalctl -u kibana says why; most often Elasticsearch is the cause: --role elasticsearch --verify-only');
}

const CORE = /^core:(elasticsearch|savedObjects)@/;

/** What Kibana itself thinks of its Elasticsearch, and of the index it keeps its objects in. */
export function connected(said: Said): Judgement {
  const expected = 'Elasticsearch and saved objects available';
  if (said.kind === 'silent') return wrong(expected, said.why, 'journalctl -u kibana');
  const core = said.status.status.statuses.filter(({ id }) => CORE.test(id));
  const found = core.map(({ id, state }) => `${id} ${state}`).join(', ') || 'not reported';
  return core.length > 0 && core.every(({ state }) => state === 'green')
    ? pass(found)
    : wrong(expected, found, 'every address of elasticsearch.hosts in /etc/kibana/kibana.yml must answer from this host');
}

/** Kibana stays green when nothing can be saved in it any more. */
export const writable = (blocked: readonly string[]): Judgement =>
  blocked.length === 0
    ? pass('no index of Kibana is read-only')
    : wrong(
        'saved objects can be written',
        `${blocked.join(', ')} is read-only`,
        'a disk of Elasticsearch passed the flood stage: make room, and the block goes away by itself',
      );

const show = ({ address, port }: { readonly address: string; readonly port: number }): string => `${plainAddress(address)}:${String(port)}`;

/** The unit's own process serves what is declared, and nothing else. */
export function listening(sockets: readonly ListeningSocket[], declared: readonly Listener[], pid: number): Judgement {
  const own = pid === 0 ? [] : [...new Set(sockets.filter((socket) => socket.pid === pid).map(show))];
  const wanted = declared.map(show);
  const missing = wanted.filter((each) => !own.includes(each));
  const more = own.filter((each) => !wanted.includes(each));
  if (missing.length === 0 && more.length === 0) return pass(wanted.join(', '));
  const found = [...missing.map((each) => `Kibana does not listen on ${each}`), ...more.map((each) => `it also listens on ${each}`)].join('; ');
  return wrong(wanted.join(', '), pid === 0 ? 'Kibana does not run' : found, 'server.host and server.port of /etc/kibana/kibana.yml decide it');
}
