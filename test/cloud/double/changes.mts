/** What every change of a resource has in common: an answer that is an operation, and an effect at its end. */
import type { Table } from './cloud.mts';
import { inUse } from './errors.mts';
import type { Operation, Resource } from './resources.mts';
import type { Call } from './route.mts';
import { pathOf } from './values.mts';

/** The path of the resource that a call names. */
export const pathIn = (table: Pick<Table<Resource>, 'path'>, { project, scope, name }: Call): string => table.path(project.name, scope, name);

interface Effect {
  /** What becomes true when the operation is done; rejects with an OperationError. */
  readonly finish?: () => unknown;
  /** What undoes the acceptance when it fails. */
  readonly undo?: () => unknown;
}

/** Starts the operation of a call. `type` is insert, delete, patch, start, setTags … */
export function operation({ cloud, project, scope, failure }: Call, type: string, target: Resource, effect: Effect): Operation {
  return cloud.operations.start({ project: project.name, scope, type, target, failure, ...effect });
}

/** The new resource is listed at once, and gone again if its operation fails. */
export function inserted<Kind extends Resource>(call: Call, table: Table<Kind>, item: Kind): Operation {
  const path = pathOf(item.selfLink);
  table.free(path);
  table.put(item);
  const undo = () => {
    table.delete(path);
  };
  return operation(call, 'insert', item, { undo });
}

/** The resource changes in these fields when the operation is done; other changes may go on meanwhile. */
export function changed<Kind extends Resource>(call: Call, type: string, table: Table<Kind>, before: Kind, fields: Partial<Kind>): Operation {
  const finish = () => table.put({ ...table.require(pathOf(before.selfLink)), ...fields });
  return operation(call, type, before, { finish });
}

/** @throws the API's error while one of those uses the resource. */
export function deleted<Kind extends Resource>(
  call: Call,
  table: Table<Kind>,
  users: readonly { readonly selfLink: string }[] = [],
  also: () => unknown = () => undefined,
): Operation {
  const path = pathIn(table, call);
  const target = table.require(path);
  call.cloud.idle(path);
  if (users[0] !== undefined) throw inUse(path, pathOf(users[0].selfLink));
  const finish = () => {
    also();
    table.delete(path);
  };
  return operation(call, 'delete', target, { finish });
}
