/** The methods of the Compute API by their URLs. */
import { catalogueRoutes } from './catalogue.mts';
import type { Cloud, Project } from './cloud.mts';
import { diskRoutes } from './disks.mts';
import { ApiError, invalid, serviceDisabled } from './errors.mts';
import { firewallRoutes } from './firewalls.mts';
import { instanceRoutes } from './instances.mts';
import { addDefaultNetwork, networkRoutes } from './networks.mts';
import { operationRoutes } from './operations.mts';
import type { Route } from './route.mts';

export interface Request {
  readonly method: string;
  /** Behind `/compute/v1/`, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** As it came: JSON, or nothing. */
  readonly body: string;
}

export interface Response {
  readonly status: number;
  readonly body: object;
}

const ROUTES: readonly Route[] = [...catalogueRoutes, ...networkRoutes, ...firewallRoutes, ...diskRoutes, ...instanceRoutes, ...operationRoutes];

/** Answers one request of the Compute API. Never rejects: what goes wrong is an answer. */
export async function compute(cloud: Cloud, { method, path, query, body }: Request): Promise<Response> {
  try {
    for (const { method: wanted, pattern, answer } of ROUTES) {
      if (wanted !== method) continue;
      const groups = pattern.exec(path)?.groups;
      if (groups === undefined) continue;
      const project = projectOf(cloud, groups['project'] ?? '');
      if (!project.services.has('compute.googleapis.com')) throw serviceDisabled('compute.googleapis.com', 'Compute Engine API', project.number);
      const { scope = '', name = '' } = groups;
      return { status: 200, body: await answer({ cloud, project, scope, name: decodeURIComponent(name), query, body: parsed(body) }) };
    }
    throw new ApiError(404, 'notFound', `The double has no method ${method} ${path}`);
  } catch (error) {
    if (error instanceof ApiError) return { status: error.code, body: error.body };
    return {
      status: 500,
      body: new ApiError(
        500,
        'backendError',
        `The double broke at ${method} ${path}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      ).body,
    };
  }
}

function parsed(body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    throw new ApiError(400, 'parseError', 'Invalid JSON payload received. Unexpected token.');
  }
}

/** A project comes into being when it is first named. */
export function projectOf(cloud: Cloud, name: string): Project {
  if (!/^[a-z][-a-z0-9]{4,28}[a-z0-9]$/.test(name))
    throw invalid(`Invalid value for field 'project': '${name}'. Must be a match of regex '[a-z][-a-z0-9]{4,28}[a-z0-9]'`);
  const known = cloud.projects.get(name);
  if (known !== undefined) return known;
  const project = { name, number: String(100_000_000_000 + cloud.projects.size), services: new Set(cloud.options.services) };
  cloud.projects.set(name, project);
  if (cloud.options.defaultNetwork && project.services.has('compute.googleapis.com')) addDefaultNetwork(cloud, name);
  return project;
}
