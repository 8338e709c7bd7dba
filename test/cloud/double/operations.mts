/** Long-running operations: PENDING, RUNNING, DONE on a clock of their own, and the work that takes effect at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LINKS, newId, timestamp } from './values.mts';
import { OperationError, notFound } from './errors.mts';
import { list } from './lists.mts';
import type { Operation, Resource } from './resources.mts';
import { route, type Route } from './route.mts';

export interface Start {
  readonly project: string;
  /** `global`, `regions/R` or `zones/Z` */
  readonly scope: string;
  /** insert, delete, patch, start, setTags … */
  readonly type: string;
  readonly target: Resource;
  /** What becomes true when the operation is done; rejects with an OperationError. */
  readonly finish?: () => void | Promise<void>;
  /** What undoes the acceptance when it fails. */
  readonly undo?: () => void;
}

const EXCLUSIVE = ['insert', 'delete', 'start', 'stop', 'reset'];
const USER = 'operator@example.com';

export class Operations {
  readonly #all = new Map<string, { operation: Operation; readonly done: Promise<void> }>();
  readonly #milliseconds: number;
  /** Asked once for every operation: the error that a test wants to see in it. */
  fault: (type: string, target: string) => OperationError | undefined = () => undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** Accepts the operation and shows it as PENDING; it goes on by itself. */
  start({ project, scope, type, target, finish, undo }: Start): Operation {
    const id = newId();
    const name = `operation-${String(Date.now())}-${id.slice(0, 13)}`;
    const path = `projects/${project}/${scope}/operations/${name}`;
    const [kind, place] = scope.split('/');
    const operation: Operation = {
      kind: 'compute#operation',
      id,
      name,
      selfLink: LINKS + path,
      operationType: type,
      targetLink: target.selfLink,
      targetId: target.id,
      user: USER,
      insertTime: timestamp(),
      status: 'PENDING',
      progress: 0,
      ...(kind === 'zones' && { zone: `${LINKS}projects/${project}/${scope}` }),
      ...(kind === 'regions' && { region: `${LINKS}projects/${project}/regions/${String(place)}` }),
    };
    const show = (change: Partial<Operation>) => {
      const entry = this.#all.get(path);
      if (entry !== undefined) entry.operation = { ...entry.operation, ...change };
    };
    const run = async () => {
      await sleep(this.#milliseconds / 3);
      show({ status: 'RUNNING', startTime: timestamp() });
      await sleep((this.#milliseconds * 2) / 3);
      try {
        const fault = this.fault(type, target.selfLink);
        if (fault !== undefined) throw fault;
        await finish?.();
        show({ status: 'DONE', progress: 100, endTime: timestamp() });
      } catch (error) {
        undo?.();
        const { code, http, message } = error instanceof OperationError ? error : new OperationError('INTERNAL_ERROR', 500, String(error));
        show({
          status: 'DONE',
          progress: 100,
          endTime: timestamp(),
          error: { errors: [{ code, message }] },
          httpErrorStatusCode: http,
          httpErrorMessage: HTTP[http] ?? 'INTERNAL SERVER ERROR',
        });
      }
    };
    // The entry has to be there before the first change of it.
    const begun = Promise.withResolvers<undefined>();
    this.#all.set(path, { operation, done: begun.promise.then(run) });
    begun.resolve(undefined);
    return operation;
  }

  get(path: string): Operation {
    const entry = this.#all.get(path);
    if (entry === undefined) throw notFound(path);
    return entry.operation;
  }

  /** The operation once it is DONE, or as it is after that time: the API holds such a request for up to two minutes. */
  async wait(path: string, milliseconds: number): Promise<Operation> {
    const entry = this.#all.get(path);
    if (entry === undefined) throw notFound(path);
    const timer = new AbortController();
    await Promise.race([entry.done, sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
    return entry.operation;
  }

  /** Whether that resource is just being made, deleted, started or stopped; other changes of one resource go on side by side. */
  busy(path: string): boolean {
    return [...this.#all.values()].some(
      ({ operation: { status, targetLink, operationType } }) => status !== 'DONE' && targetLink === LINKS + path && EXCLUSIVE.includes(operationType),
    );
  }

  list(project: string): Operation[] {
    return [...this.#all.values()].map(({ operation }) => operation).filter(({ selfLink }) => selfLink.startsWith(`${LINKS}projects/${project}/`));
  }
}

const HTTP: Readonly<Record<number, string>> = { 400: 'BAD REQUEST', 403: 'FORBIDDEN', 404: 'NOT FOUND', 409: 'CONFLICT', 503: 'SERVICE UNAVAILABLE' };

/** How long one request waits for an operation; the client asks again. */
const WAIT_MS = 110_000;

const SCOPES = ['zones', 'regions', 'global'] as const;

export const operationRoutes: readonly Route[] = SCOPES.flatMap((kind) => [
  route('GET', `${kind}/operations`, (call) =>
    list(
      call,
      'operation',
      call.cloud.operations.list(call.project.name).filter(({ selfLink }) => selfLink.includes(`/${call.scope}/`)),
    ),
  ),
  route('GET', `${kind}/operations/NAME`, ({ cloud, project, scope, name }) => cloud.operations.get(`projects/${project.name}/${scope}/operations/${name}`)),
  route('POST', `${kind}/operations/NAME/wait`, ({ cloud, project, scope, name }) =>
    cloud.operations.wait(`projects/${project.name}/${scope}/operations/${name}`, WAIT_MS),
  ),
]);
