/** The pages, and what they and tests read from. */
import { HttpError, type Route } from '../http.mts';
import { string } from '../json.mts';
import { loadDashboard, summary, type Sources } from './dashboard.mts';
import { dashboardPage, listing, problem, shell } from './page.mts';
import { parseState, stateOf } from './state.mts';

export function pageRoutes({ basePath, ...sources }: Sources & { readonly basePath: string }): readonly Route[] {
  const redirect = (to: string) => () => ({ status: 302, headers: { location: `${basePath}${to}` }, body: '' });
  const app = () => ({ body: shell(basePath) });
  return [
    ['GET', '/', redirect('/app/home')],
    ['GET', '/app/:name', app],
    [
      'GET',
      '/internal/stand-in/page',
      async (request) => {
        const state = parseState(request.query.get('hash') ?? '');
        if (state.dashboard === undefined) {
          const dashboards = (await sources.store.all('dashboard')).map(({ id, attributes: { title, description } }) => ({
            id,
            title: string(title) ?? id,
            description: string(description) ?? '',
          }));
          return {
            body: listing(
              dashboards.sort((a, b) => (a.title < b.title ? -1 : 1)),
              basePath,
            ),
          };
        }
        try {
          return { body: dashboardPage(await loadDashboard(sources, state.dashboard, state, Date.now()), state) };
        } catch (error) {
          if (error instanceof HttpError && error.status < 500) return { status: error.status, body: problem(`Dashboard ${state.dashboard}`, error.message) };
          throw error;
        }
      },
    ],
    [
      'GET',
      '/internal/stand-in/dashboards/:id',
      async (request, { id = '' }) => ({ body: summary(await loadDashboard(sources, id, stateOf(request.query), Date.now())) }),
    ],
  ];
}
