import { expect } from 'chai';
import fc from 'fast-check';
import { globMatches, splitPattern } from '../../lib/inventory/pattern.mts';
import { inventoryOf } from '../support/inventory-files.mts';

const inventory = inventoryOf('all: {children: {es_masters: {hosts: {"es-0[1:3]": }}, brokers: {hosts: {broker-01: }}, empty: }}');
const names = (pattern: string): readonly string[] => inventory.select(pattern).map(({ name }): string => name);

/** What patterns select is compared with Ansible in oracle.test.mts; here is what they refuse. */
describe('host patterns', () => {
  for (const [pattern, message] of Object.entries({
    '': /the host pattern is empty/,
    ' , ': /empty/,
    ':': /empty/,
    'es-04': /no host or group is named "es-04" — did you mean "es-01"/,
    es_master: /did you mean "es_masters"/,
    'es_masters:!brokres': /"brokres" — did you mean "brokers"/,
    'brokers:&es_masters': /no host matches "brokers:&es_masters" — groups: all, es_masters, brokers/,
    'x*': /no host matches "x\*"/,
    empty: /no host matches "empty" — the group empty has no hosts/,
    'es_masters[7]': /no host matches/,
    '!': /has nothing after it/,
    '~(': /not a usable regular expression/,
    ['a'.repeat(257)]: /at most 256 characters/,
  }))
    it(`${JSON.stringify(pattern.slice(0, 30))} is refused`, () => {
      expect(() => names(pattern))
        .to.throw(message)
        .with.nested.property('error.kind', 'usage');
    });

  it('are answered in the order of the inventory', () => {
    expect(names('brokers:es_masters')).to.deep.equal(['es-01', 'es-02', 'es-03', 'broker-01']);
    expect(inventory.group('brokers').map(({ name }): string => name)).to.deep.equal(['broker-01']);
    expect(inventory.group('nowhere')).to.deep.equal([]);
  });

  it('a regular expression that never ends is ended', () => {
    const slow = inventoryOf(`all: {hosts: {${'a'.repeat(60)}: }}`);
    const started = performance.now();
    expect(() => slow.select('~(a+)+$b')).to.throw(/no host matches|takes too long/);
    expect(() => slow.select('~(a|a)*b')).to.throw(/takes too long/);
    expect(performance.now() - started).to.be.below(3000);
  });

  it('globs match as the regular expression they stand for, and always in time', () => {
    const piece = fc.constantFrom('a', 'b', '-', '*', '?', '[ab]', '[!a]', '[a-c]');
    const regex = (glob: string): RegExp =>
      new RegExp(
        `^${glob
          .replace(/\[!/g, '[^')
          .replace(/(?<!\[)\*/g, '.*')
          .replace(/\?/g, '.')}$`,
      );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 7 }).map((parts) => parts.join('')),
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), maxLength: 10 }),
        (glob, name) => {
          expect(globMatches(glob, name), `${glob} on ${name}`).to.equal(regex(glob).test(name));
        },
      ),
    );
    expect(globMatches('*a'.repeat(100), 'a'.repeat(99))).to.equal(false);
  });

  it('are split by commas, else by colons outside of brackets', () => {
    expect(splitPattern('a:b[0:1]:!c')).to.deep.equal(['a', 'b[0:1]', '!c']);
    expect(splitPattern(' a , b:c ,, ')).to.deep.equal(['a', 'b:c']);
  });
});
