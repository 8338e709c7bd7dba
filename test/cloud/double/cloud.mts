/** What the double remembers: projects, resources by their path, and what holds for every kind of resource. */
import { alreadyExists, invalidField, notFound, notReady } from './errors.mts';
import { Faults } from './faults.mts';
import { Operations } from './operations.mts';
import type { Address, Disk, Firewall, Instance, Network, Resource, Router, Subnetwork } from './resources.mts';
import { LINKS, newId, pathOf, timestamp } from './values.mts';

export interface Options {
  /** How long an operation takes from its acceptance to DONE. */
  readonly operationMs: number;
  /** A new project has the network `default` with its subnetworks and rules. */
  readonly defaultNetwork: boolean;
  /** Services that are on in a new project. */
  readonly services: readonly string[];
  /** The most items of one page of a list, whatever the client asks for. */
  readonly pageSize: number;
  /** Instances are announced to the harness; subnetworks may have loopback addresses then. */
  readonly mapped: boolean;
}

/** A request as tests see it. */
export interface Noted {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Of the answer; 0 where there was none. */
  readonly status: number;
  /** `compute.instances.list`, and which run of it; empty for what gcloud did not send. */
  readonly command: string;
  readonly invocation: string;
}

/** What is told about an instance, and what the harness may answer. */
export interface Announcement {
  readonly event: 'created' | 'started' | 'stopped' | 'deleted';
  readonly instance: Instance;
}

export interface Guest {
  /** Where the ports of this instance really are. */
  readonly address?: string | undefined;
  /** Lines such as `ssh-ed25519 AAAA…` */
  readonly hostKeys: readonly string[];
  readonly console: string;
}

export interface Answer {
  /** The external address to show; otherwise one is made up. */
  readonly natIP?: string;
  readonly address?: string;
  readonly hostKeys?: readonly string[];
}

export interface Project {
  readonly name: string;
  readonly number: string;
  readonly services: Set<string>;
  readonly secrets: Map<string, string>;
}

/** All resources of one kind. Paths are `projects/P/SCOPE/COLLECTION/NAME`, where a scope is `global`, `regions/R` or `zones/Z`. */
export class Table<Kind extends Resource> {
  readonly collection: string;
  readonly #items = new Map<string, Kind>();

  constructor(collection: string) {
    this.collection = collection;
  }

  path(project: string, scope: string, name: string): string {
    return `projects/${project}/${scope}/${this.collection}/${name}`;
  }

  get(path: string): Kind | undefined {
    return this.#items.get(path);
  }

  /** @throws the API's 404 */
  require(path: string): Kind {
    const item = this.#items.get(path);
    if (item === undefined) throw notFound(path);
    return item;
  }

  /** @throws the API's 409 for a path that is taken. */
  free(path: string): void {
    if (this.#items.has(path)) throw alreadyExists(path);
  }

  put<Item extends Kind>(item: Item): Item {
    this.#items.set(pathOf(item.selfLink), item);
    return item;
  }

  delete(path: string): void {
    this.#items.delete(path);
  }

  /** Of one project, oldest first. */
  all(project: string): Kind[] {
    return [...this.#items].filter(([path]) => path.startsWith(`projects/${project}/`)).map(([, item]) => item);
  }
}

export class Cloud {
  readonly options: Options;
  readonly operations: Operations;
  readonly networks = new Table<Network>('networks');
  readonly subnetworks = new Table<Subnetwork>('subnetworks');
  readonly routers = new Table<Router>('routers');
  readonly firewalls = new Table<Firewall>('firewalls');
  readonly disks = new Table<Disk>('disks');
  readonly instances = new Table<Instance>('instances');
  readonly projects = new Map<string, Project>();
  readonly faults = new Faults();
  /** Every request of an API, in the order of their answers. */
  readonly noted: Noted[] = [];
  /** Public keys in OS Login, by account. */
  readonly sshKeys = new Map<string, readonly string[]>();
  readonly addresses = new Table<Address>('addresses');
  /** By the path of a running instance. */
  readonly guests = new Map<string, Guest>();
  /** Tells the harness; an operation waits for its answer. */
  announce: (announcement: Announcement) => Promise<Answer> = () => Promise.resolve({});
  /** Firewall policies that a test set, by the network's path. */
  readonly policies = new Map<string, readonly object[]>();

  constructor(options: Options) {
    this.options = options;
    this.operations = new Operations(options.operationMs);
  }

  get tables(): readonly Table<Resource>[] {
    const { networks, subnetworks, routers, addresses, firewalls, disks, instances } = this;
    return [networks, subnetworks, routers, addresses, firewalls, disks, instances];
  }

  /** The resource that a link in a body leads to. @throws the API's error for a malformed link, an absent resource, and one that is still being made or deleted. */
  linked<Kind extends Resource>(table: Table<Kind>, field: string, link: string): Kind {
    const path = pathOf(link);
    if (!path.includes(`/${table.collection}/`)) throw invalidField(field, link, 'The URL is malformed.');
    const item = table.require(path);
    this.idle(path);
    return item;
  }

  /** An external address that nobody has and that will not come again. */
  ephemeral(): string {
    this.#ephemeral += 1;
    return `34.64.${String(this.#ephemeral >> 8)}.${String(this.#ephemeral & 255)}`;
  }
  #ephemeral = 256;

  /** Whether an external address was reserved under a name. */
  reserved(external: string): boolean {
    return [...this.projects.keys()].some((project) => this.addresses.all(project).some(({ address }) => address === external));
  }

  /** @throws the API's error for a resource with an operation under way. */
  idle(path: string): void {
    if (this.operations.busy(path)) throw notReady(path);
  }
}

/** What every new resource has. */
export function birth(kind: string, path: string): Resource {
  return { kind: `compute#${kind}`, id: newId(), name: path.split('/').at(-1) ?? '', selfLink: LINKS + path, creationTimestamp: timestamp() };
}
