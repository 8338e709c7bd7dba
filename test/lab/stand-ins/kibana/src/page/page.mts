/** What people see: a list of dashboards, and dashboards whose panels show the results of their queries. */
import type { JsonObject } from '../json.mts';
import type { TimeRange } from '../query/time.mts';
import { isEmpty, type Control, type Reading, type Result } from '../visualizations/result.mts';
import { chartSvg, colourAt } from './chart.mts';
import { instantText } from './clock.mts';
import type { Dashboard, Panel } from './dashboard.mts';
import { html, Html } from './html.mts';
import { addressOf, type PageState } from './state.mts';

/** Columns of the grid are that wide and rows that high, in pixels. */
const COLUMN = 30;
const ROW = 20;

const STYLE = `
:root { color-scheme: light; font: 14px/1.4 system-ui, "Noto Sans", "Noto Sans CJK KR", sans-serif; color: #343741; background: #f5f7fa }
body { margin: 0 }
.note { background: #fff3cd; border-bottom: 1px solid #e0c36a; padding: 8px 16px }
main { padding: 8px 16px }
h1 { font-size: 20px; margin: 8px 0 }
a { color: #006bb4 }
.bar { display: flex; flex-wrap: wrap; gap: 4px 16px; color: #69707d; margin: 0 0 8px }
.bar a.on { font-weight: 600; color: inherit; text-decoration: none }
.grid-48 { display: grid; grid-template-columns: repeat(48, minmax(0, 1fr)); grid-auto-rows: ${String(ROW)}px; gap: 0 }
.panel { margin: 4px; background: #fff; border: 1px solid #d3dae6; border-radius: 4px; display: flex; flex-direction: column; overflow: hidden; min-width: 0 }
.panel > h2 { font-size: 13px; margin: 4px 8px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.panel > .body { flex: 1; min-height: 0; padding: 0 8px 4px; overflow: auto; display: flex; flex-direction: column }
.panel > .foot { color: #98a2b3; font-size: 11px; padding: 0 8px 3px; white-space: nowrap }
.none, .wrong { margin: auto; text-align: center; color: #69707d }
.wrong { color: #bd271e; white-space: pre-wrap; overflow-wrap: anywhere }
svg { flex: 1; min-height: 0; width: 100% }
svg .grid { stroke: #eef0f4 } svg .axis { stroke: #d3dae6 } svg .line { fill: none; stroke-width: 1.5 }
svg .threshold { stroke: #e7664c; stroke-dasharray: 5 4 } svg .tick { font-size: 11px; fill: #69707d }
.y { font-size: 11px; color: #69707d }
.legend { display: flex; flex-wrap: wrap; gap: 0 12px; max-height: 38px; overflow: auto; font-size: 11px; margin: 0; padding: 0; list-style: none; flex: none }
.legend i { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 4px }
.readings { margin: auto; display: flex; flex-wrap: wrap; gap: 8px 24px; justify-content: center; text-align: center }
.reading b { display: block; font-size: 34px; line-height: 1.1; font-weight: 600 }
.reading span { font-size: 12px; color: #69707d }
table { border-collapse: collapse; width: 100%; font-size: 12px }
th, td { text-align: left; padding: 3px 8px; border-bottom: 1px solid #eef0f4 }
td.bar-cell { width: 50% } td.bar-cell i { display: block; height: 12px; border-radius: 2px }
.text { white-space: pre-wrap }
.control { margin: 4px 0 } .control a { margin-right: 8px } .control a.on { font-weight: 600 }
`;

/** What comes after the number sign is never sent to a server: the browser hands it over. */
const SCRIPT = `
const main = document.querySelector('main');
let timer, turn = 0;
async function show() {
  clearTimeout(timer);
  const mine = ++turn;
  try {
    const response = await fetch(main.dataset.source + encodeURIComponent(location.hash));
    const text = await response.text();
    if (mine !== turn) return;
    main.innerHTML = text;
  } catch (error) {
    main.textContent = 'Kibana does not answer: ' + error.message;
  }
  document.title = (main.querySelector('h1')?.textContent ?? '') + ' - Kibana (stand-in)';
  const wait = Number(main.querySelector('[data-refresh]')?.dataset.refresh ?? 0);
  if (wait > 0) timer = setTimeout(show, wait);
}
addEventListener('hashchange', show);
show();
`;

export const shell = (basePath: string): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Kibana (stand-in)</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <div class="note">
          <strong>This is not Kibana.</strong> It is a stand-in for Kibana 7.10.2, made for this lab. It keeps the saved objects and runs the queries of every
          panel in the real Elasticsearch; the drawing is its own. <a href="${basePath}/app/dashboards">All dashboards</a>
        </div>
        <main data-source="${basePath}/internal/stand-in/page?hash="></main>
        <script>
          ${new Html(SCRIPT)};
        </script>
      </body>
    </html>`.text;

export interface Listed {
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

export const listing = (dashboards: readonly Listed[], basePath: string): string =>
  html`<h1>Dashboards</h1>
    ${dashboards.length === 0 ? html`<p>There is none yet.</p>` : undefined}
    <ul>
      ${dashboards.map(
        ({ id, title, description }) => html`<li><a href="${basePath}/app/dashboards#/view/${encodeURIComponent(id)}">${title}</a> ${description}</li>`,
      )}
    </ul>`.text;

export const problem = (title: string, message: string): string =>
  html`<h1>${title}</h1>
    <p class="wrong">${message}</p>`.text;

const TIMES: readonly (readonly [string, TimeRange])[] = [
  ['15 minutes', { from: 'now-15m', to: 'now' }],
  ['1 hour', { from: 'now-1h', to: 'now' }],
  ['24 hours', { from: 'now-24h', to: 'now' }],
  ['7 days', { from: 'now-7d', to: 'now' }],
];

export function dashboardPage(dashboard: Dashboard, state: PageState): string {
  const { title, description, time, span, refresh, filters, panels } = dashboard;
  const chosen: PageState = { ...state, dashboard: dashboard.id };
  return html`<h1>${title}</h1>
    <p class="bar" data-refresh="${refresh ?? 0}">
      <span>${description}</span>
      <span>${instantText(span.from)} to ${instantText(span.to)} UTC</span>
      <span
        >Last
        ${TIMES.map(([name, range]) => {
          const isOn = range.from === time.from && range.to === time.to;
          return html` <a class="${isOn ? 'on' : ''}" href="${addressOf({ ...chosen, time: range })}">${name}</a>`;
        })}</span
      >
      ${[...state.globalFilters, ...filters].map((filter) => html`<span>filter: ${filterText(filter)} <a href="${addressOf(without(chosen, dashboard, filter))}">remove</a></span>`)}
      ${refresh === undefined ? undefined : html`<span>refreshed every ${refresh / 1000} s</span>`}
    </p>
    <div class="grid-48">${panels.map((panel) => panelHtml(panel, dashboard, chosen))}</div>`.text;
}

const without = (state: PageState, { filters }: Dashboard, filter: JsonObject): PageState => ({
  ...state,
  globalFilters: state.globalFilters.filter((one) => one !== filter),
  filters: filters.filter((one) => one !== filter),
});

function filterText(filter: JsonObject): string {
  const { meta: _meta, $state: _state, ...rest } = filter;
  const { query = rest } = rest;
  return JSON.stringify(query);
}

function panelHtml(panel: Panel, dashboard: Dashboard, state: PageState): Html {
  const { grid, title, hits, searches } = panel;
  const place = `grid-column: ${String(grid.x + 1)} / span ${String(grid.w)}; grid-row: ${String(grid.y + 1)} / span ${String(grid.h)}`;
  return html`<section class="panel" style="${place}">
    ${dashboard.showTitles ? html`<h2 title="${title}">${title}</h2>` : undefined}
    <div class="body">${bodyHtml(panel, dashboard, state)}</div>
    ${searches.length === 0 ? undefined : html`<div class="foot">${hits} documents of ${[...new Set(searches.map(({ index }) => index))].join(', ')}</div>`}
  </section>`;
}

function bodyHtml({ result, error, grid }: Panel, { span, filters }: Dashboard, state: PageState): Html {
  if (result === undefined) return html`<p class="wrong">${error ?? ''}</p>`;
  if (isEmpty(result)) return html`<p class="none">No results found</p>`;
  switch (result.kind) {
    case 'chart': {
      const size = { width: Math.max(160, grid.w * COLUMN - 28), height: Math.max(80, grid.h * ROW - 90) };
      return html`${result.title === '' ? undefined : html`<span class="y">${result.title}</span>`}${chartSvg(result, span, size)}${result.legend ? legend(result) : undefined}`;
    }
    case 'readings':
      return result.look === 'bars' ? bars(result.readings) : html`<div class="readings">${result.readings.map(reading)}</div>`;
    case 'table':
      return html`<table>
        <tr>
          ${result.columns.map((column) => html`<th>${column}</th>`)}
        </tr>
        ${result.rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </table>`;
    case 'text':
      return html`<div class="text">${result.text}</div>`;
    case 'controls':
      return html`${result.controls.map((control) => controlHtml(control, filters, state))}`;
  }
}

const legend = ({ series }: Extract<Result, { kind: 'chart' }>): Html =>
  html`<ul class="legend">
    ${series.map(({ label, colour }, i) => html`<li><i style="background: ${colour ?? colourAt(i)}"></i>${label}</li>`)}
  </ul>`;

const reading = ({ label, text, colour }: Reading): Html =>
  html`<div class="reading"><b style="color: ${colour ?? 'inherit'}">${text}</b><span>${label}</span></div>`;

function bars(readings: readonly Reading[]): Html {
  const most = readings.reduce((high, { value }) => Math.max(high, Math.abs(value ?? 0)), 0) || 1;
  return html`<table>
    ${readings.map(
      ({ label, value, text, colour }, i) =>
        html`<tr>
          <td>${label}</td>
          <td class="bar-cell"><i style="width: ${Math.round((Math.abs(value ?? 0) / most) * 100)}%; background: ${colour ?? colourAt(i)}"></i></td>
          <td>${text}</td>
        </tr>`,
    )}
  </table>`;
}

/** Choosing a value adds a filter to the address, choosing it again takes it away. */
function controlHtml({ label, field, indexPatternId, options }: Control, filters: readonly JsonObject[], state: PageState): Html {
  const filterOf = (value: string): JsonObject => ({
    meta: { index: indexPatternId, controlledBy: 'stand-in', key: field },
    query: { match_phrase: { [field]: value } },
  });
  const isOn = (value: string): boolean => filters.some((filter) => JSON.stringify(filter['query']) === JSON.stringify(filterOf(value)['query']));
  const others = filters.filter((filter) => JSON.stringify(filter['meta']) !== JSON.stringify(filterOf('')['meta']));
  return html`<div class="control">
    <strong>${label}</strong>
    ${options.map(({ value, count }) => {
      const address = addressOf({ ...state, filters: isOn(value) ? others : [...others, filterOf(value)] });
      return html` <a class="${isOn(value) ? 'on' : ''}" href="${address}" title="${count} documents">${value}</a>`;
    })}
  </div>`;
}
