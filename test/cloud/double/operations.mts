/** Long-running operations: PENDING, RUNNING, DONE on a clock of their own, and the work that takes effect at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationError, notFound } from './errors.mts';
import { list } from './lists.mts';
import type { Operation, Resource } from './resources.mts';
import { route, type Route } from './route.mts';
import { LINKS, newId, timestamp } from './values.mts';

export interface Start {
  readonly project: string;
  /** `global`, `regions/R` or `zones/Z` */
  readonly scope: string;
  readonly type: string;
  readonly target: Resource;
  /** What it fails with, whatever it does. */
  readonly failure: OperationError | undefined;
  readonly finish?: () => unknown;
  readonly undo?: () => unknown;
}

/** Nothing else can be done to a resource meanwhile. */
const EXCLUSIVE = ['insert', 'delete', 'start', 'stop', 'reset'];

const REASONS: Readonly<Record<number, string>> = { 400: 'BAD REQUEST', 403: 'FORBIDDEN', 404: 'NOT FOUND', 409: 'CONFLICT', 503: 'SERVICE UNAVAILABLE' };

export class Operations {
  readonly #all = new Map<string, { operation: Operation; readonly done: Promise<void> }>();
  readonly #milliseconds: number;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** Accepts the operation and shows it as PENDING; it goes on by itself. */
  start(start: Start): Operation {
    const { project, scope, type, target } = start;
    const id = newId();
    const name = `operation-${String(Date.now())}-${id.slice(0, 13)}`;
    const path = `projects/${project}/${scope}/operations/${name}`;
    const place = `${LINKS}projects/${project}/${scope}`;
    const operation: Operation = {
      kind: 'compute#operation',
      id,
      name,
      selfLink: LINKS + path,
      operationType: type,
      targetLink: target.selfLink,
      targetId: target.id,
      user: 'operator@example.com',
      insertTime: timestamp(),
      status: 'PENDING',
      progress: 0,
      ...(scope.startsWith('zones/') && { zone: place }),
      ...(scope.startsWith('regions/') && { region: place }),
    };
    this.#all.set(path, { operation, done: this.#run(path, start) });
    return operation;
  }

  async #run(path: string, { failure, finish, undo }: Start): Promise<void> {
    await sleep(this.#milliseconds / 3);
    this.#show(path, { status: 'RUNNING', startTime: timestamp() });
    await sleep((this.#milliseconds * 2) / 3);
    const result = await this.#outcome(failure, finish);
    if (result.error !== undefined) undo?.();
    this.#show(path, { status: 'DONE', progress: 100, endTime: timestamp(), ...result });
  }

  async #outcome(failure: OperationError | undefined, finish: Start['finish']): Promise<Partial<Operation>> {
    try {
      if (failure !== undefined) throw failure;
      await finish?.();
      return {};
    } catch (error) {
      const { code, http, message } = error instanceof OperationError ? error : new OperationError('INTERNAL_ERROR', 500, String(error));
      return { error: { errors: [{ code, message }] }, httpErrorStatusCode: http, httpErrorMessage: REASONS[http] ?? 'INTERNAL SERVER ERROR' };
    }
  }

  #show(path: string, fields: Partial<Operation>): void {
    const entry = this.#entry(path);
    entry.operation = { ...entry.operation, ...fields };
  }

  #entry(path: string): { operation: Operation; readonly done: Promise<void> } {
    const entry = this.#all.get(path);
    if (entry === undefined) throw notFound(path);
    return entry;
  }

  get(path: string): Operation {
    return this.#entry(path).operation;
  }

  /** The operation once it is DONE, or as it is after that time. */
  async wait(path: string, milliseconds: number): Promise<Operation> {
    const entry = this.#entry(path);
    const timer = new AbortController();
    await Promise.race([entry.done, sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
    return entry.operation;
  }

  /** Whether that resource is just being made, deleted, started or stopped. */
  busy(path: string): boolean {
    return this.list().some(({ status, targetLink, operationType }) => status !== 'DONE' && targetLink === LINKS + path && EXCLUSIVE.includes(operationType));
  }

  list(): Operation[] {
    return [...this.#all.values()].map(({ operation }) => operation);
  }
}

/** How long one request waits for an operation before the client has to ask again; the API's own bound is two minutes. */
const WAIT_MS = 110_000;

export const operationRoutes: readonly Route[] = ['zones', 'regions', 'global'].flatMap((kind) => [
  route('GET', `${kind}/operations`, (call) =>
    list(
      call,
      'operation',
      call.cloud.operations.list().filter(({ selfLink }) => selfLink.includes(`/${call.project.name}/${call.scope}/`)),
    ),
  ),
  route('GET', `${kind}/operations/NAME`, ({ cloud, project, scope, name }) => cloud.operations.get(`projects/${project.name}/${scope}/operations/${name}`)),
  route('POST', `${kind}/operations/NAME/wait`, ({ cloud, project, scope, name }) =>
    cloud.operations.wait(`projects/${project.name}/${scope}/operations/${name}`, WAIT_MS),
  ),
]);
