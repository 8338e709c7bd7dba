/** What a method of the API is called with, and how a URL finds it. */
import type { Cloud, Project } from './cloud.mts';

export interface Call {
  readonly cloud: Cloud;
  readonly project: Project;
  /** `global`, `regions/R` or `zones/Z` */
  readonly scope: string;
  /** Of the resource; empty where the URL names a collection. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly pattern: RegExp;
  readonly answer: (call: Call) => object | Promise<object>;
}

/**
 * `route('POST', 'zones/instances/NAME/stop', …)`: `zones`, `regions` and `global` stand for the scope with its own name, NAME for the resource's.
 */
export function route(method: Route['method'], pattern: string, answer: Route['answer']): Route {
  const [scope = '', ...rest] = pattern.split('/');
  const where = scope === 'zones' || scope === 'regions' ? `${scope}/[^/]+` : scope;
  const tail = rest.map((part) => (part === 'NAME' ? '(?<name>[^/]+)' : part)).join('/');
  return { method, pattern: new RegExp(`^projects/(?<project>[^/]+)/(?<scope>${where})${tail === '' ? '' : `/${tail}`}$`), answer };
}
