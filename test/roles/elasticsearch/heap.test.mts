import { expect } from 'chai';
import fc from 'fast-check';
import { groupName } from '../../../lib/index.mts';
import { automaticHeap, heapOf, parseSize, showSize, takenByOthers } from '../../../roles/elasticsearch/heap.mts';

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;
const on = (...groups: string[]): { groups: ReadonlySet<ReturnType<typeof groupName>> } => ({ groups: new Set(groups.map(groupName)) });

describe('the automatic heap', () => {
  const cases: readonly (readonly [memory: number, groups: readonly string[], heap: string | undefined])[] = [
    [1 * GiB, [], '256m'],
    [2 * GiB, [], '768m'],
    [4 * GiB, [], '1792m'],
    [16 * GiB, [], '7680m'],
    [16 * GiB, ['monitoring'], '6g'],
    [16 * GiB, ['monitoring', 'brokers'], '5g'],
    [64 * GiB, [], '31g'],
    [512 * GiB, [], '31g'],
    [512 * MiB, [], undefined],
    [3 * GiB, ['monitoring'], undefined],
  ];
  for (const [memory, groups, heap] of cases) {
    it(`${showSize(memory)}, ${groups.join(' and ') || 'alone'}: ${heap ?? 'too little'}`, () => {
      const bytes = heapOf('auto', memory, on(...groups));
      expect(bytes === undefined ? undefined : showSize(bytes)).to.equal(heap);
    });
  }

  const memory = fc.integer({ min: 64, max: 1024 * 1024 }).map((mebibytes) => mebibytes * MiB);
  const others = fc.integer({ min: 0, max: 8192 }).map((mebibytes) => mebibytes * MiB);
  it('is at most half of what the others leave and at most 31 GB', () => {
    fc.assert(
      fc.property(memory, others, (all, taken) => {
        const heap = automaticHeap(all, taken);
        if (heap !== undefined) expect(heap).to.be.at.most(Math.min((all - taken) / 2, 31 * GiB));
      }),
    );
  });
  it('never shrinks when memory is added', () => {
    fc.assert(fc.property(memory, others, (all, taken) => (automaticHeap(all + 256 * MiB, taken) ?? 0) >= (automaticHeap(all, taken) ?? 0)));
  });
  it('mostly stays when a few megabytes come or go', () => {
    expect(automaticHeap(16 * GiB - 40 * MiB, 0)).to.equal(automaticHeap(16 * GiB - 400 * MiB, 0));
  });
  it('leaves something to the system', () => {
    expect(takenByOthers(on())).to.be.above(0);
  });
});

describe('sizes', () => {
  it('are read and written', () => {
    for (const text of ['1m', '512m', '1536m', '4g', '31g']) expect(showSize(parseSize(text))).to.equal(text);
    expect(showSize(parseSize('1024M'))).to.equal('1g');
  });
  it('need a unit', () => {
    for (const text of ['512', '0m', '1.5g', '4gb', '-1g', '']) expect(() => parseSize(text), text).to.throw(/no size/);
  });
});
