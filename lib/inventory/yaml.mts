import { CORE_SCHEMA, EVENT_ID, SCALAR_STYLE, YAMLException, getScalarValue, parseEvents } from 'js-yaml';
import type { Event, ScalarEvent } from 'js-yaml';
import type { Document } from './document.mts';
import type { Problems } from './problems.mts';
import { place, quoted } from './problems.mts';
import { syntaxHint } from './syntax-hint.mts';

/** Values that still know where they were written. Offsets are into the document's text. */
export type YamlNode = YamlMap | YamlList | YamlScalar;
export interface YamlMap {
  readonly kind: 'map';
  readonly at: number;
  readonly entries: readonly YamlEntry[];
}
export interface YamlEntry {
  readonly key: string;
  readonly keyAt: number;
  readonly value: YamlNode;
}
export interface YamlList {
  readonly kind: 'list';
  readonly at: number;
  readonly items: readonly YamlNode[];
}
export interface YamlScalar {
  readonly kind: 'scalar';
  readonly at: number;
  readonly value: string | number | boolean | null;
  /** As written, without quotes: `7.10` where `value` is 7.1. */
  readonly text: string;
  readonly quoted: boolean;
  /** From a command line, where a shell ate the quotes: text that reads as a number may be wanted as text. */
  readonly loose?: true;
}

const MAX_DEPTH = 32;
const MAX_ALIASES = 50;
/** Nodes that aliases may add by being expanded; a list of lists of aliases grows exponentially. */
const MAX_ALIASED_NODES = 10_000;

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
/** Line breaks and tabs belong in block scalars; other control characters have no honest use. */

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/**
 * The one document of a file. Everything wrong with it goes to `problems`: the first syntax error only, since what follows one is guesswork,
 * and all of duplicate keys, tags, templates, forbidden keys and control characters. An empty document is a null; `broken` is no YAML.
 */
export function parseYaml(document: Document, problems: Problems): YamlNode | 'broken' {
  let events: Event[];
  try {
    events = parseEvents(document.text, { filename: document.file, maxDepth: MAX_DEPTH });
  } catch (thrown) {
    if (!(thrown instanceof YAMLException)) throw thrown;
    const offset = thrown.mark?.position ?? 0;
    problems.at(document, offset, `not valid YAML: ${thrown.reason}`, syntaxHint(document, offset, thrown.reason));
    return 'broken';
  }
  return new Composer(document, problems, events).document();
}

/** A value as JavaScript has it, freshly made. */
export function toPlain(node: YamlNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(toPlain);
    case 'map':
      return Object.fromEntries(node.entries.map((entry) => [entry.key, toPlain(entry.value)]));
  }
}

/** The node a path of keys leads to, or the deepest one on the way. */
export function nodeAt(node: YamlNode, path: readonly PropertyKey[]): YamlNode {
  let current = node;
  for (const step of path) {
    const next =
      current.kind === 'map'
        ? current.entries.find((entry) => entry.key === step)?.value
        : current.kind === 'list' && typeof step === 'number'
          ? current.items[step]
          : undefined;
    if (next === undefined) return current;
    current = next;
  }
  return current;
}

/** An unquoted scalar from outside a file, typed as YAML would. */
export function looseScalar(text: string, at: number): YamlScalar {
  const value = plainValue(text);
  return { kind: 'scalar', at, value, text, quoted: false, loose: true };
}

function plainValue(text: string): YamlScalar['value'] {
  const { value } = CORE_SCHEMA.resolveImplicitScalarTag(text);
  return value === null || typeof value === 'number' || typeof value === 'boolean' ? value : text;
}

interface Anchor {
  /** `undefined` while the node is being read: an alias to it would contain itself. */
  node: YamlNode | undefined;
  size: number;
}

class Composer {
  readonly #document: Document;
  readonly #problems: Problems;
  readonly #events: readonly Event[];
  readonly #anchors = new Map<string, Anchor>();
  #next = 0;
  #last = 0;
  #aliases = 0;
  #aliasedNodes = 0;
  #size = 0;

  constructor(document: Document, problems: Problems, events: readonly Event[]) {
    this.#document = document;
    this.#problems = problems;
    this.#events = events;
  }

  document(): YamlNode {
    const documents = this.#events.filter((event) => event.type === EVENT_ID.DOCUMENT).length;
    if (documents === 0) return { kind: 'scalar', at: 0, value: null, text: '', quoted: false };
    this.#next = 1;
    const root = this.#node();
    if (documents > 1) {
      this.#next += 2;
      const second = this.#events[this.#next];
      const begins = second !== undefined && 'start' in second ? second.start : second?.type === EVENT_ID.SCALAR ? second.valueStart : -1;
      // An empty document has no place of its own.
      const at = begins < 0 ? this.#last : begins;
      this.#problems.at(
        this.#document,
        at,
        'a second YAML document begins here; one file holds one',
        'remove the "---" line, or split the file and give -i twice',
      );
    }
    return root;
  }

  #problem(at: number, message: string, hint?: string): void {
    this.#problems.at(this.#document, at, message, hint);
  }

  #node(): YamlNode {
    const event = this.#events[this.#next++];
    if (event === undefined) throw new Error('the event stream ends early');
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return this.#anchored(event, () => this.#scalar(event));
      case EVENT_ID.MAPPING:
        this.#tag(event, event.start, ['!!map']);
        return this.#anchored(event, () => this.#map(event.start));
      case EVENT_ID.SEQUENCE:
        this.#tag(event, event.start, ['!!seq']);
        return this.#anchored(event, () => this.#list(event.start));
      case EVENT_ID.ALIAS:
        return this.#alias(event.anchorStart, this.#document.text.slice(event.anchorStart, event.anchorEnd));
      case EVENT_ID.DOCUMENT:
      case EVENT_ID.POP:
        throw new Error('the event stream is out of step');
    }
  }

  #anchored(event: { anchorStart: number; anchorEnd: number }, read: () => YamlNode): YamlNode {
    const before = this.#size++;
    if (event.anchorStart < 0) return read();
    const anchor: Anchor = { node: undefined, size: 0 };
    this.#anchors.set(this.#document.text.slice(event.anchorStart, event.anchorEnd), anchor);
    const node = read();
    anchor.node = node;
    anchor.size = this.#size - before;
    return node;
  }

  #alias(at: number, name: string): YamlNode {
    const nothing: YamlScalar = { kind: 'scalar', at, value: null, text: '', quoted: false };
    const anchor = this.#anchors.get(name);
    this.#last = at;
    this.#aliases++;
    if (this.#aliases === MAX_ALIASES + 1) this.#problem(at, `more than ${String(MAX_ALIASES)} aliases`, 'write the values out, or set them once in a group');
    if (this.#aliases > MAX_ALIASES) return nothing;
    if (anchor?.node === undefined) {
      this.#problem(at, anchor === undefined ? `alias *${name} has no anchor before it` : `alias *${name} contains itself`);
      return nothing;
    }
    this.#size += anchor.size;
    const before = this.#aliasedNodes;
    this.#aliasedNodes += anchor.size;
    if (this.#aliasedNodes > MAX_ALIASED_NODES) {
      if (before <= MAX_ALIASED_NODES)
        this.#problem(at, `aliases expand to more than ${String(MAX_ALIASED_NODES)} values`, 'write the values out, or set them once in a group');
      return nothing;
    }
    return anchor.node;
  }

  #tag(event: { tagStart: number; tagEnd: number }, at: number, accepted: readonly string[]): string | undefined {
    if (event.tagStart < 0) return undefined;
    const tag = this.#document.text.slice(event.tagStart, event.tagEnd);
    if (accepted.includes(tag)) return tag;
    const hint =
      tag === '!vault'
        ? 'Ansible Vault is not read: keep the value in a file or the environment and write {secret: file:PATH} or {secret: env:NAME}'
        : tag === '!unsafe'
          ? 'no templates are evaluated here: leave the tag out'
          : 'leave the tag out';
    this.#problem(event.tagStart < at ? event.tagStart : at, `tag ${quoted(tag)} is not accepted`, hint);
    return undefined;
  }

  #scalar(event: ScalarEvent): YamlScalar {
    const empty = event.valueStart < 0;
    const text = empty ? '' : getScalarValue(this.#document.text, event);
    const inQuotes = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    const at = empty ? this.#last : event.valueStart - (inQuotes ? 1 : 0);
    this.#last = at;
    const tag = this.#tag(event, at, ['!!str', '!', '!!int', '!!float', '!!bool', '!!null']);
    const plain = event.style === SCALAR_STYLE.PLAIN && tag !== '!!str' && tag !== '!';
    if (CONTROL.test(text) || !text.isWellFormed()) this.#problem(at, `control character in ${quoted(text)}`, 'remove it');
    if (/\{\{|\{%/.test(text)) this.#template(at);
    return { kind: 'scalar', at, value: plain ? plainValue(text) : text, text, quoted: !plain };
  }

  #template(at: number): void {
    this.#problem(
      at,
      'templates ({{ … }}) are not evaluated',
      'write the value itself; a value that several hosts share belongs in a group, a secret is {secret: env:NAME}',
    );
  }

  #list(at: number): YamlList {
    const items: YamlNode[] = [];
    while (this.#events[this.#next]?.type !== EVENT_ID.POP) items.push(this.#node());
    this.#next++;
    return { kind: 'list', at, items };
  }

  #map(at: number): YamlMap {
    const entries = new Map<string, YamlEntry>();
    const merged: YamlNode[] = [];
    let template = false;
    while (this.#events[this.#next]?.type !== EVENT_ID.POP) {
      const key = this.#node();
      if (key.kind !== 'scalar') {
        template = true;
        if (this.#document.text.slice(at, at + 2) === '{{') this.#template(at);
        else this.#problem(key.at, 'a key must be a plain word, not a list or a mapping');
        this.#node();
        continue;
      }
      this.#last = key.at + key.text.length;
      const value = this.#node();
      if (key.text === '<<' && !key.quoted) merged.push(value);
      else this.#entry(entries, { key: key.text, keyAt: key.at, value }, template);
    }
    this.#next++;
    for (const node of merged) this.#merge(entries, node);
    return { kind: 'map', at, entries: [...entries.values()] };
  }

  #entry(entries: Map<string, YamlEntry>, entry: YamlEntry, silent: boolean): void {
    const first = entries.get(entry.key);
    if (silent) return;
    if (first !== undefined)
      this.#problem(entry.keyAt, `duplicate key ${quoted(entry.key)}`, `first at ${place(this.#document.source(first.keyAt))}: keep one`);
    else if (FORBIDDEN_KEYS.has(entry.key)) this.#problem(entry.keyAt, `key ${quoted(entry.key)} is not accepted`, 'choose another name');
    else if (entry.key === '') this.#problem(entry.keyAt, 'an empty key', 'write its name before the colon');
    else entries.set(entry.key, entry);
  }

  /** `<<: *base` adds what is not there; of several bases the first wins, as in YAML 1.1 and in Ansible. */
  #merge(entries: Map<string, YamlEntry>, node: YamlNode): void {
    for (const base of node.kind === 'list' ? node.items : [node]) {
      if (base.kind !== 'map') this.#problem(base.at, '"<<" takes a mapping or a list of mappings');
      else for (const entry of base.entries) if (!entries.has(entry.key)) entries.set(entry.key, entry);
    }
  }
}
