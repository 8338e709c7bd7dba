/** Numbers as Kibana writes them. */
import { at, string, type Json } from '../json.mts';
import { instantText } from '../page/clock.mts';

export type Format = (value: number) => string;

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** The patterns of numeral that dashboards use: `0,0.[000]`, `0.0b`, `0.0%`, `0.0a`. */
export function pattern(text: string): Format {
  const [, decimals = ''] = /\.([0[\]]+)/.exec(text) ?? [];
  const most = (decimals.match(/0/g) ?? []).length;
  const least = decimals.includes('[') ? (decimals.split('[')[0]?.length ?? 0) : most;
  const digits = (value: number): string => grouped(value.toFixed(most), least, text.includes(','));
  if (text.includes('b')) {
    return (value) => {
      const step = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log(Math.max(1, Math.abs(value))) / Math.log(1024))));
      return `${digits(value / 1024 ** step)}${UNITS[step] ?? ''}`;
    };
  }
  if (text.includes('%')) return (value) => `${digits(value * 100)}%`;
  if (text.includes('a')) {
    return (value) => {
      const [size, name] = (
        [
          [1e9, 'b'],
          [1e6, 'm'],
          [1e3, 'k'],
        ] as const
      ).find(([least]) => Math.abs(value) >= least) ?? [1, ''];
      return `${digits(value / size)}${name}`;
    };
  }
  return digits;
}

function grouped(text: string, leastDecimals: number, groups: boolean): string {
  const [whole = '', decimals = ''] = text.split('.');
  let kept = decimals;
  while (kept.length > leastDecimals && kept.endsWith('0')) kept = kept.slice(0, -1);
  const left = groups ? whole.replaceAll(/\B(?=(\d{3})+$)/g, ',') : whole;
  return kept === '' ? left : `${left}.${kept}`;
}

export const plain: Format = pattern('0,0.[000]');

/** The format that an index pattern has for a field. */
export function fieldFormat(saved: Json | undefined): Format {
  const given = string(at(saved, 'params', 'pattern'));
  switch (at(saved, 'id')) {
    case 'bytes':
      return pattern(given ?? '0,0.[000]b');
    case 'percent':
      return pattern(given ?? '0,0.[000]%');
    case 'number':
      return pattern(given ?? '0,0.[000]');
    case 'date':
      return instantText;
    default:
      return plain;
  }
}

const SECONDS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** The formatter of a series of the visual builder: a name, a pattern, or a duration as "ms,s,2". */
export function seriesFormat(formatter: string, template: string): Format {
  const write = named(formatter);
  return (value) => (template === '' ? write(value) : template.replaceAll(/\{\{\s*value\s*\}\}/g, write(value)));
}

function named(formatter: string): Format {
  const [from = '', to = '', decimals] = formatter.split(',');
  const [input, output] = [SECONDS[from], SECONDS[to]];
  if (decimals !== undefined && input !== undefined && output !== undefined) {
    const places = Number.parseInt(decimals, 10) || 0;
    return (value) => ((value * input) / output).toFixed(places);
  }
  switch (formatter) {
    case '':
    case 'number':
    case 'default':
      return pattern('0,0.[00]');
    case 'bytes':
      return pattern('0,0.[0]b');
    case 'percent':
      return pattern('0,0.[0]%');
    default:
      return pattern(formatter);
  }
}
