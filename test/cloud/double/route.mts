/** What a method of an API is called with, and how a URL finds it. */
import type { Cloud, Project } from './cloud.mts';
import type { OperationError } from './errors.mts';

export interface Call {
  readonly cloud: Cloud;
  readonly project: Project;
  /** `global`, `regions/R` or `zones/Z` */
  readonly scope: string;
  /** Of the resource; empty where the URL names a collection. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** What the operation of this call is to fail with. */
  readonly failure?: OperationError | undefined;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** With the groups `project`, `scope` and `name`. */
  readonly pattern: RegExp;
  /** What has to be enabled in the project. */
  readonly service?: string;
  readonly answer: (call: Call) => object | Promise<object>;
}

/** A method of the Compute API: in `zones/instances/NAME/stop`, `zones` stands for `zones/Z`, `regions` for `regions/R`, and NAME for the resource. */
export function route(method: Route['method'], pattern: string, answer: Route['answer']): Route {
  const [scope = '', ...rest] = pattern.split('/');
  const where = scope === 'zones' || scope === 'regions' ? `${scope}/[^/]+` : scope;
  const tail = rest.map((part) => (part === 'NAME' ? '/(?<name>[^/]+)' : `/${part}`)).join('');
  return { method, pattern: new RegExp(`^projects/(?<project>[^/]+)/(?<scope>${where})${tail}$`), service: 'compute.googleapis.com', answer };
}
