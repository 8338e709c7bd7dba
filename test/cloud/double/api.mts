/** One request of an API: noted down, spoilt where a test asked for it, and led to its method. */
import { setTimeout as sleep } from 'node:timers/promises';
import { catalogueRoutes } from './catalogue.mts';
import type { Cloud, Noted, Project } from './cloud.mts';
import { diskRoutes } from './disks.mts';
import { ApiError, invalid, serviceDisabled } from './errors.mts';
import { errorOf, operationError } from './faults.mts';
import { firewallRoutes } from './firewalls.mts';
import { instanceRoutes } from './instances.mts';
import { addDefaultNetwork, networkRoutes } from './networks.mts';
import { operationRoutes } from './operations.mts';
import type { Route } from './route.mts';
import { serviceRoutes } from './services.mts';

export interface Request {
  readonly method: string;
  /** Behind the address of the API, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** As it came: JSON, or nothing. */
  readonly body: string;
  readonly userAgent: string;
}

/** What is sent back; undefined where the connection is to end without an answer. */
export type Response = { readonly status: number; readonly body: object } | undefined;

const ROUTES: readonly Route[] = [
  ...catalogueRoutes,
  ...networkRoutes,
  ...firewallRoutes,
  ...diskRoutes,
  ...instanceRoutes,
  ...operationRoutes,
  ...serviceRoutes,
];

/** Answers one request. Never rejects: what goes wrong is an answer, and what the double itself cannot do is 501, which no real API says. */
export async function answer(cloud: Cloud, request: Request): Promise<Response> {
  const { method, path, query, userAgent } = request;
  const body = parsed(request.body);
  const note = (status: number) => cloud.noted.push(noteOf({ method, path, query, body, userAgent }, status));
  try {
    const { route, groups } = found(method, path);
    const project = projectOf(cloud, groups['project'] ?? 'no-project');
    const fault = cloud.faults.take(method, path);
    if (fault?.kind === 'stall') await sleep(fault.ms);
    if (fault?.kind === 'cut' && fault.when === 'before') {
      note(0);
      return undefined;
    }
    const error = fault && errorOf(fault, project);
    if (error !== undefined) throw error;
    if (route.service !== undefined && !project.services.has(route.service)) throw serviceDisabled(route.service, project.number);
    const { scope = '', name = '' } = groups;
    const result = await route.answer({
      cloud,
      project,
      scope,
      name: decodeURIComponent(name),
      query,
      body,
      failure: fault?.kind === 'operation' ? operationError(fault) : undefined,
    });
    const cut = fault?.kind === 'cut';
    note(cut ? 0 : 200);
    return cut ? undefined : { status: 200, body: result };
  } catch (error) {
    const answered =
      error instanceof ApiError
        ? error
        : new ApiError(501, 'broken', `The double broke at ${method} ${path}: ${String(error instanceof Error ? error.stack : error)}`);
    note(answered.code);
    return { status: answered.code, body: answered.body };
  }
}

/** The request as tests see it. */
export function noteOf({ method, path, query, body, userAgent }: Omit<Request, 'body'> & { readonly body: unknown }, status: number): Noted {
  const [, command = ''] = /command\/gcloud\.([\w.-]+)/.exec(userAgent) ?? [];
  const [, invocation = ''] = /invocation-id\/(\w+)/.exec(userAgent) ?? [];
  return { method, path, query: Object.fromEntries(query), body, status, command, invocation };
}

function found(method: string, path: string): { readonly route: Route; readonly groups: Readonly<Partial<Record<string, string>>> } {
  for (const route of ROUTES) {
    const groups = route.method === method ? route.pattern.exec(path)?.groups : undefined;
    if (groups !== undefined) return { route, groups };
  }
  throw new ApiError(501, 'unknownMethod', `The double has no method ${method} ${path}`);
}

/** A project comes into being when it is first named. */
export function projectOf(cloud: Cloud, name: string): Project {
  if (!/^[a-z][-a-z0-9]{4,28}[a-z0-9]$/.test(name))
    throw invalid(`Invalid value for field 'project': '${name}'. Must be a match of regex '[a-z][-a-z0-9]{4,28}[a-z0-9]'`);
  const known = cloud.projects.get(name);
  if (known !== undefined) return known;
  const project = {
    name,
    number: String(100_000_000_000 + cloud.projects.size),
    services: new Set(cloud.options.services),
    secrets: new Map<string, string>(),
  };
  cloud.projects.set(name, project);
  if (cloud.options.defaultNetwork && project.services.has('compute.googleapis.com')) addDefaultNetwork(cloud, name);
  return project;
}

/** JSON, or the text that is none: no body of the API is a text. */
function parsed(body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
