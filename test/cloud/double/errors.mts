/** Errors in the shapes of the API: the one of an answer, and the one inside an operation. */

const STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  412: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
};

/** What an answer says instead of a result. `details` are the typed parts that newer services add. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly domain: string;
  readonly details: readonly object[];

  constructor(code: number, reason: string, message: string, domain = 'global', details: readonly object[] = []) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.domain = domain;
    this.details = details;
  }

  get body(): object {
    const { code, message, reason, domain, details } = this;
    return {
      error: { code, message, errors: [{ message, domain, reason }], status: STATUS[code] ?? 'UNKNOWN', ...(details.length > 0 && { details }) },
    };
  }
}

/** What went wrong after the operation was accepted: `code` is one of the API's upper-case codes, `http` the status that goes with it. */
export class OperationError extends Error {
  readonly code: string;
  readonly http: number;

  constructor(code: string, http: number, message: string) {
    super(message);
    this.code = code;
    this.http = http;
  }
}

export const invalid = (message: string): ApiError => new ApiError(400, 'invalid', message);
export const invalidField = (field: string, value: string, why: string): ApiError => invalid(`Invalid value for field 'resource.${field}': '${value}'. ${why}`);
export const notFound = (path: string): ApiError => new ApiError(404, 'notFound', `The resource '${path}' was not found`);
export const alreadyExists = (path: string): ApiError => new ApiError(409, 'alreadyExists', `The resource '${path}' already exists`);
export const notReady = (path: string): ApiError => new ApiError(400, 'resourceNotReady', `The resource '${path}' is not ready`);
export const inUse = (path: string, by: string): ApiError =>
  new ApiError(400, 'resourceInUseByAnotherResource', `The resource '${path}' is already being used by '${by}'`);
export const conditionNotMet = (message: string): ApiError => new ApiError(412, 'conditionNotMet', message);

/** Services by the names of their API in messages. */
const TITLES: Readonly<Record<string, string>> = {
  'compute.googleapis.com': 'Compute Engine API',
  'oslogin.googleapis.com': 'Cloud OS Login API',
  'secretmanager.googleapis.com': 'Secret Manager API',
};

/** Of a service that nobody enabled in the project: gcloud reads the project and the service out of the text. */
export function serviceDisabled(service: string, number: string): ApiError {
  const url = `https://console.developers.google.com/apis/api/${service}/overview?project=${number}`;
  return new ApiError(
    403,
    'accessNotConfigured',
    `${TITLES[service] ?? service} has not been used in project ${number} before or it is disabled. Enable it by visiting ${url} then retry. ` +
      'If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.',
    'usageLimits',
    [
      { '@type': 'type.googleapis.com/google.rpc.Help', links: [{ description: 'Google developers console API activation', url }] },
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'SERVICE_DISABLED',
        domain: 'googleapis.com',
        metadata: { service, consumer: `projects/${number}` },
      },
    ],
  );
}
