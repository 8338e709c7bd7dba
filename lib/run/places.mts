/** Where hosts are that their provider makes: asked of it at run time, as far as the inventory does not say. */
import { fail } from '../errors.mts';
import type { Host, Inventory, SshConnection } from '../inventory/model.mts';
import { isHostName } from '../names.mts';
import type { Answer, AnyControllerRole, Location, Question } from '../plan/model.mts';
import type { Controller, ControllerAsk } from './controller.mts';

export interface PlacesOptions {
  readonly inventory: Inventory;
  /** Roles that can say where their hosts are. */
  readonly providers: readonly AnyControllerRole[];
  readonly controller: Controller;
  /** Whether this run made it, or changed it. */
  readonly isNew: (host: Host) => boolean;
  readonly contextOf: (role: AnyControllerRole, host: Host) => Parameters<NonNullable<AnyControllerRole['locates']>>[0];
}

/** What a machine may take from its start until sshd answers and the account to log in with is made. */
const SETTLING_MS = 180_000;

export class Places {
  readonly #options: PlacesOptions;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** The host with everything that is needed to reach it, its jump host included; throws `unreachable` for one that does not exist. */
  async placed(host: Host): Promise<Host> {
    const { connection } = host;
    if (connection.kind === 'local') return host;
    const placed = await this.#placed(host, connection);
    return placed === connection ? host : Object.freeze({ ...host, connection: placed });
  }

  async #placed(host: Host, connection: SshConnection): Promise<SshConnection> {
    const located = await this.#located(host, connection);
    const bastion = await this.#bastion(connection);
    return bastion === undefined ? located : Object.freeze({ ...located, bastion });
  }

  /** Undefined when it is where the inventory says, and so are those on the way to it. */
  async #bastion({ jump, bastion }: SshConnection): Promise<SshConnection | undefined> {
    if (bastion !== undefined) {
      const before = await this.#bastion(bastion);
      return before === undefined ? undefined : Object.freeze({ ...bastion, bastion: before });
    }
    const host = jump !== undefined && isHostName(jump) ? this.#options.inventory.hosts.get(jump) : undefined;
    if (host?.connection.kind !== 'ssh') return undefined;
    const placed = await this.#placed(host, host.connection);
    return placed === host.connection ? undefined : placed;
  }

  async #located(host: Host, connection: SshConnection): Promise<SshConnection> {
    const { providers, contextOf } = this.#options;
    const provider = providers.find(({ provides }) => provides === (host.provider ?? host.locatedBy));
    const question = provider?.locates?.(contextOf(provider, host));
    if (question === undefined) return connection;
    const location = known(host, await this.#answer(question));
    return this.#joined(host, connection, location);
  }

  /** What the inventory says wins. */
  #joined(host: Host, connection: SshConnection, location: Location): SshConnection {
    const says = (variable: string): boolean => !['role default', undefined].includes(this.#options.inventory.explain(host.name, variable)?.level);
    const { address, user, hostKeyAlias, knownHostsFile, hostKeys, proxyCommand } = location;
    const settlingMs = this.#options.isNew(host) ? SETTLING_MS : leftToSettle(location);
    return {
      ...connection,
      ...(says('ansible_host') ? {} : { address }),
      ...(user === undefined || says('ansible_user') ? {} : { user }),
      ...(hostKeyAlias === undefined ? {} : { hostKeyAlias: connection.hostKeyAlias ?? hostKeyAlias }),
      ...(knownHostsFile === undefined ? {} : { knownHostsFile: connection.knownHostsFile ?? knownHostsFile }),
      ...(proxyCommand === undefined || says('ansible_host') ? {} : { proxyCommand }),
      ...(settlingMs === 0 ? {} : { settlingMs }),
      ...(hostKeys === undefined ? {} : { hostKeys: async () => known(host, await this.#answer(hostKeys, true), 'its host keys') }),
    };
  }

  /** With `again` it is asked anew, since what is not there yet may come. */
  async #answer<T>(question: Question<T>, again = false): Promise<Answer<T>> {
    const asks = question.asks.filter((ask): ask is ControllerAsk => ask.at === 'controller');
    const answers = await this.#options.controller.ask(asks, again);
    const byKey = new Map([...answers].map(([ask, raw]) => [JSON.stringify(ask), raw]));
    return question.read((ask) => byKey.get(JSON.stringify(ask)) ?? { kind: 'unavailable', reason: 'it was not asked' });
  }
}

/** Counted from the start, by the clocks of two machines: no more than the whole. */
function leftToSettle({ startedAt }: Location): number {
  const left = SETTLING_MS - (Date.now() - Date.parse(startedAt ?? ''));
  return Number.isNaN(left) ? 0 : Math.min(SETTLING_MS, Math.max(0, Math.round(left)));
}

function known<T>(host: Host, answer: Answer<T | undefined>, what = 'its address'): T {
  if (answer.kind === 'unavailable') return fail('unreachable', 'not located', { message: `${host.name}: ${what} could not be found out: ${answer.reason}` });
  if (answer.value === undefined)
    return fail('unreachable', 'does not run', { message: `${host.name} does not run: its provider has no running host of this name` });
  return answer.value;
}
