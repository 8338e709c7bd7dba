import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { HandshakeLimiter } from '../../lib/transport/limiter.mts';
import { never } from './support.mts';

describe('handshake limiter', () => {
  const most = async (servers: readonly string[], limiter = new HandshakeLimiter()): Promise<{ overall: number; each: number }> => {
    let [busy, overall, each] = [0, 0, 0];
    const per = new Map<string, number>();
    await Promise.all(
      servers.map(async (server) => {
        using _place = await limiter.enter(server, never);
        per.set(server, (per.get(server) ?? 0) + 1);
        overall = Math.max(overall, ++busy);
        each = Math.max(each, per.get(server) ?? 0);
        await sleep(2);
        busy--;
        per.set(server, (per.get(server) ?? 0) - 1);
      }),
    );
    return { overall, each };
  };

  it('lets 8 shake hands with one server', async () => {
    expect(await most(Array.from({ length: 60 }, () => 'a'))).to.deep.equal({ overall: 8, each: 8 });
  });
  it('lets 32 shake hands overall', async () => {
    expect(await most(Array.from({ length: 120 }, (_, index) => `server-${index % 20}`))).to.deep.include({ overall: 32 });
  });
  it('halves a server that drops, down to 2, and no other', async () => {
    const limiter = new HandshakeLimiter();
    limiter.dropped('a');
    expect(
      (
        await most(
          Array.from({ length: 20 }, () => 'a'),
          limiter,
        )
      ).each,
    ).to.equal(4);
    for (let round = 0; round < 5; round++) limiter.dropped('a');
    expect(
      (
        await most(
          Array.from({ length: 20 }, () => 'a'),
          limiter,
        )
      ).each,
    ).to.equal(2);
    expect(
      (
        await most(
          Array.from({ length: 20 }, () => 'b'),
          limiter,
        )
      ).each,
    ).to.equal(8);
  });
  it('gives the place of one that gave up to the next', async () => {
    const limiter = new HandshakeLimiter();
    const held = await Promise.all(Array.from({ length: 8 }, () => limiter.enter('a', never)));
    const abort = new AbortController();
    const waiting = limiter.enter('a', abort.signal).then(
      () => 'entered',
      () => 'gave up',
    );
    abort.abort();
    expect(await waiting).to.equal('gave up');
    for (const place of held) place[Symbol.dispose]();
    expect(
      await most(
        Array.from({ length: 20 }, () => 'a'),
        limiter,
      ),
    ).to.deep.equal({ overall: 8, each: 8 });
  });
});
