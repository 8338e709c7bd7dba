/** Judgements about who listens where. */
import { plainAddress } from '../inventory/address.mts';
import type { Judgement } from './model.mts';
import type { ListeningSocket } from './questions.mts';

interface Place {
  readonly address: string;
  readonly port: number;
}

export interface Declared extends Place {
  readonly name: string;
}

export interface Listening {
  /** Where the declared addresses are written. */
  readonly hint: string;
  /** What else the process may listen on, by name; `undefined` for what nobody expects. */
  readonly known?: (socket: ListeningSocket) => string | undefined;
}

const show = (place: Place): string => `${plainAddress(place.address)}:${String(place.port)}`;

/** What is declared is served by the process itself, and it serves nothing else. `pid` is `undefined` where it is not known. */
export function listening(
  sockets: readonly ListeningSocket[],
  declared: readonly Declared[],
  pid: number | undefined,
  { hint, known = () => undefined }: Listening,
): Judgement {
  const expected = declared.map(show).join(', ');
  const problems: string[] = [];
  for (const want of declared) {
    const owner = sockets.find((socket) => takes(socket, want));
    if (owner === undefined) problems.push(`nobody listens on ${show(want)} (${want.name})`);
    else if (pid !== undefined && owner.pid !== pid) problems.push(`${show(want)} belongs to ${ownerOf(owner)}`);
    else if (show(owner) !== show(want)) problems.push(`${want.name} listens on ${show(owner)}`);
  }
  const extra = pid === undefined ? [] : sockets.filter((socket) => socket.pid === pid && !declared.some((want) => show(want) === show(socket)));
  problems.push(...extra.filter((socket) => known(socket) === undefined).map((socket) => `also listens on ${show(socket)}`));
  if (problems.length > 0) return { kind: 'fail', expected, found: problems.join('; '), hint };
  const named = extra.flatMap((socket) => [`${show(socket)} (${known(socket) ?? ''})`]);
  return { kind: 'pass', found: [expected, ...named].join(', ') };
}

const WILDCARD: ReadonlySet<string> = new Set(['0.0.0.0', '::', '*']);
/** A socket that keeps everybody else from this address and port. */
export const takes = (socket: Place, want: Place): boolean =>
  socket.port === want.port && (WILDCARD.has(socket.address) || plainAddress(socket.address) === plainAddress(want.address));

export const ownerOf = (socket: ListeningSocket): string =>
  socket.process === undefined ? 'a process of another user or machine' : `${socket.process} (pid ${String(socket.pid)})`;

/** Where Linux takes ports from that nobody chose. */
const EPHEMERAL = 32768;

/** Every JVM with JMX opens it beside the port that was asked for; it answers connections from its own machine only. */
export const jvmAttachPort = ({ address, port }: Place): string | undefined =>
  WILDCARD.has(address) && port >= EPHEMERAL ? 'the attach port of Java, which answers this machine only' : undefined;
