/** Lists in pages, of one scope and over all scopes. */
import { ApiError } from './errors.mts';
import { scopes } from './places.mts';
import type { Call } from './route.mts';
import { pathOf } from './values.mts';

const nameOf = (item: object): string => ('name' in item ? String(item.name) : '');

/** `items` of one page, in order of their names as in the API, and the token of the next. A filter is refused: filtering something else than Google does would be a silent lie. */
function paged<Item extends object>({ query, cloud }: Call, items: readonly Item[]): { readonly items: readonly Item[]; readonly nextPageToken?: string } {
  if (query.has('filter'))
    throw new ApiError(400, 'badRequest', `The double filters nothing on the server (filter=${String(query.get('filter'))}): list all and filter locally.`);
  const size = Math.min(Number(query.get('maxResults') ?? 500), cloud.options.pageSize);
  const from = Number(query.get('pageToken') ?? 0);
  const rest = items.length > from + size ? { nextPageToken: String(from + size) } : {};
  const inOrder = items.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
  return { items: inOrder.slice(from, from + size), ...rest };
}

/** A list of one scope. `kind` as in `compute#firewallList`. */
export function list(call: Call, kind: string, all: readonly object[]): object {
  const { items, nextPageToken } = paged(call, all);
  return {
    kind: `compute#${kind}List`,
    id: `projects/${call.project.name}/${call.scope}/${kind}s`,
    ...(items.length > 0 && { items }),
    ...(nextPageToken !== undefined && { nextPageToken }),
  };
}

/** Those of the scope that a call names. */
export const here = <Item extends { readonly selfLink: string }>({ scope }: Call, items: readonly Item[]): Item[] =>
  items.filter(({ selfLink }) => selfLink.includes(`/${scope}/`));

/** A list over all scopes: those without an item say so in a warning. */
export function aggregated(call: Call, kind: string, collection: string, over: 'zones' | 'regions', all: readonly { readonly selfLink: string }[]): object {
  const { items, nextPageToken } = paged(call, all);
  const entry = (scope: string) => {
    const here = items.filter(({ selfLink }) => pathOf(selfLink).startsWith(`projects/${call.project.name}/${scope}/`));
    if (here.length > 0) return { [collection]: here };
    return { warning: { code: 'NO_RESULTS_ON_PAGE', message: 'There are no results for scope on this page.', data: [{ key: 'scope', value: scope }] } };
  };
  return {
    kind: `compute#${kind}AggregatedList`,
    id: `projects/${call.project.name}/aggregated/${collection}`,
    items: Object.fromEntries(scopes(over).map((scope) => [scope, entry(scope)])),
    ...(nextPageToken !== undefined && { nextPageToken }),
  };
}
