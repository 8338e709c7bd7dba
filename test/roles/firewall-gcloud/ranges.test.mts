import { BlockList } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  canonical,
  common,
  edges,
  INTERNET,
  isPrivate,
  isPublic,
  parseRange,
  prefixLength,
  range,
  ranges,
  rangeText,
  without,
} from '../../../roles/firewall-gcloud/ranges.mts';

describe('address ranges', () => {
  it('have one spelling', () => {
    expect(['203.0.113.7/24', '203.0.113.7', '2001:DB8:0:0::/32', '1:2:3:4:5:6:7:8/64', '::ffff:1.2.3.4/128', '0.0.0.0/0'].map(canonical)).to.deep.equal([
      '203.0.113.0/24',
      '203.0.113.7/32',
      '2001:db8::/32',
      '1:2:3:4::/64',
      '::ffff:1.2.3.4/128',
      '0.0.0.0/0',
    ]);
    expect(['10.0.0.0/33', '2001:db8::/129', '10.0.0/8', 'es-01', '10.0.0.0/', '1.2.3.4.5', ''].map(parseRange)).to.deep.equal(Array(7).fill(undefined));
  });

  it('are private, public or neither', () => {
    const sort = (text: string): string => (isPrivate(range(text)) ? 'private' : isPublic(range(text)) ? 'public' : 'neither');
    const texts = [
      '10.8.0.0/16',
      '172.16.0.0/12',
      '100.64.1.1/32',
      'fd00::/8',
      '34.0.0.0/8',
      '203.0.113.7/32',
      '2001:db8::/32',
      '172.0.0.0/8',
      '10.0.0.0/7',
      '0.0.0.0/0',
      '::/0',
    ];
    expect(texts.map(sort)).to.deep.equal([...Array<string>(4).fill('private'), ...Array<string>(3).fill('public'), ...Array<string>(4).fill('neither')]);
  });

  const cidr = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, bits]) => `${address}/${String(bits)}`);

  it('agree with those of Node about who is in them', () => {
    fc.assert(
      fc.property(cidr, fc.ipV4(), (text, address) => {
        const list = new BlockList();
        const [network = '', bits] = text.split('/');
        list.addSubnet(network, Number(bits));
        return common([range(text)], [range(address)]).length === (list.check(address) ? 1 : 0);
      }),
    );
  });

  it('lose exactly what is taken away', () => {
    fc.assert(
      fc.property(fc.array(cidr, { maxLength: 4 }), fc.array(cidr, { maxLength: 4 }), fc.ipV4(), (some, others, address) => {
        const isIn = (all: readonly string[]): boolean => common(ranges(all), [range(address)]).length > 0;
        const left = common(without(ranges(some), ranges(others)), [range(address)]).length > 0;
        return left === (isIn(some) && !isIn(others));
      }),
    );
  });

  it('say what CIDR notation cannot say by their ends', () => {
    expect(INTERNET.slice(0, 2).map(rangeText)).to.deep.equal(['0.0.0.0-9.255.255.255', '11.0.0.0-100.63.255.255']);
    expect(prefixLength(range('10.0.0.0/9'))).to.equal(9);
    expect(edges(range('203.0.113.0/30'))).to.deep.equal(['203.0.113.0', '203.0.113.3']);
  });
});
