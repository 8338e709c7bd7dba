/** Services without a login listen on private addresses only. */
import { isInside, plainAddress } from '../inventory/address.mts';
import type { Host } from '../inventory/model.mts';
import type { Check, Judgement, Listener, Refusal } from './model.mts';
import { listeningSockets, type ListeningSocket } from './questions.mts';
import { ownerOf } from './sockets.mts';

/** Why `what` must not bind the host's address: there is none, or the internet can reach it. */
export function privateOnly(host: Host, what: string): readonly Refusal[] {
  const hint = `set private_address of ${host.name} `;
  if (host.privateAddress === undefined)
    return [{ kind: 'usage', reason: `${host.name} has no private address for ${what} to bind`, hint: `${hint}in the inventory` }];
  if (isInside(host.privateAddress)) return [];
  return [
    {
      kind: 'refused',
      reason: `${what} without a login would listen on ${host.privateAddress}, which is no private address`,
      hint: `${hint}to its address in the private network`,
    },
  ];
}

/** Asked of the host's real sockets: what is written in configurations may not be what runs. */
export const exposure = (declared: readonly Listener[]): Check<readonly ListeningSocket[]> => ({
  id: 'exposure',
  ask: listeningSockets(),
  judge: (sockets) => judgeExposure(sockets, declared),
  retry: { everyMs: 1000, deadlineMs: 5000 },
});

/** No declared port is served where the internet could reach it, by whomever: on an address of its own or on all of them. */
export function judgeExposure(sockets: readonly ListeningSocket[], declared: readonly Listener[]): Judgement {
  const closed = declared.filter((listener) => listener.exposure !== 'public');
  const open = closed.flatMap(({ name, port }) =>
    sockets
      .filter((socket) => socket.port === port && !isInside(plainAddress(socket.address)))
      .map((socket) => `${name} on ${plainAddress(socket.address)}:${String(port)} by ${ownerOf(socket)}`),
  );
  const inWords = declared
    .filter((listener) => listener.exposure === 'public')
    .map(({ name, port }) => `${name} ${String(port)} (public, as the inventory says)`);
  if (open.length === 0) return { kind: 'pass', found: [...closed.map(({ name, port }) => `${name} ${String(port)}`), ...inWords].join(', ') };
  return {
    kind: 'fail',
    expected: 'only private addresses',
    found: [...new Set(open)].join(', '),
    hint: 'stop what binds it, or run its role again, which binds the private address; what the internet may reach is said in the inventory (kibana_exposure: public)',
  };
}
